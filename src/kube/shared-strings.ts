/** A generation of what was seen: enough for what a list of thousands repeats, and less than a megabyte. */
const mostInGeneration = 8_192;
/** Longer texts (certificates, keys, requests) seldom come twice. */
const longest = 128;
/** V8 shares shorter ones by itself when it parses JSON. */
const shortest = 11;

let young = new Map<string, string>();
let old = new Map<string, string>();

/**
 * The same text, as the one string that others of it have: objects of one kind repeat their apiVersion, their namespace,
 * their owner, reasons, times; each of thousands would hold copies of its own. What was not seen for long is forgotten.
 */
export function sharedString(text: string): string {
  if (text.length < shortest || text.length > longest) return text;
  const known = young.get(text);
  if (known !== undefined) return known;
  const shared = old.get(text) ?? text;
  if (young.size === mostInGeneration) {
    old = young;
    young = new Map();
  }
  young.set(shared, shared);
  return shared;
}
