/** V8 shares shorter ones by itself when it parses JSON. */
const shortest = 11;
/** Up to here names, times, reasons; beyond, certificates, keys and requests. */
const longestName = 128;
/** A keystore, or what others keep in Secrets, is there once. */
const longest = 16_384;

/** What was seen lately, in two generations: what is asked for in neither is forgotten. */
class Seen {
  readonly #capacity: number;
  #young = new Map<string, string>();
  #old = new Map<string, string>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  shared(text: string): string {
    const known = this.#young.get(text);
    if (known !== undefined) return known;
    const shared = this.#old.get(text) ?? text;
    if (this.#young.size === this.#capacity) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(shared, shared);
    return shared;
  }

  forget(): void {
    this.#young = new Map();
    this.#old = new Map();
  }
}

/** Enough for what a list of thousands repeats, and less than a megabyte. */
const names = new Seen(8_192);
/** Some pages of two lists that are read at the same time. */
const material = new Seen(8_192);

/** A burst is over by then, and what it has left is memory for nothing. */
const forgottenAfterMs = 60_000;
let forgetting: NodeJS.Timeout | undefined;

/**
 * The same text, as the one string that others of it have: objects of one kind repeat their apiVersion, their namespace,
 * their owner, reasons, times; each of thousands would hold copies of its own. A certificate stands in its request and in
 * its Secret, and that of its authority in all of them. What was not seen for long is forgotten.
 */
export function sharedString(text: string): string {
  if (text.length < shortest || text.length > longest) return text;
  if (text.length <= longestName) return names.shared(text);
  forgetting ??= setTimeout(() => {
    forgetting = undefined;
    material.forget();
  }, forgottenAfterMs).unref();
  return material.shared(text);
}
