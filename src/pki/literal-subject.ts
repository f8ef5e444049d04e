import {
  attributeOids,
  type DistinguishedName,
  distinguishedName,
  type NameAttribute,
} from './distinguished-name.ts';
import { PkiError } from './errors.ts';
import { isOid } from './oid.ts';

/**
 * Reads a name as RFC 4514 (and RFC 2253) writes it: `CN=shop.example,OU=web+L=Oslo,O=Acme`. The string has
 * the most particular name first, the encoding has it last. Attribute types are short names, in any case,
 * or object identifiers; spaces around `=`, `,` and `+` do not count. Throws PKI_NAME_INVALID with the
 * column, counted from 1. Values as `#hex` are not taken.
 */
export function parseLiteralSubject(text: string): DistinguishedName {
  if (text.trim() === '') fail(text, 0, 'it is empty');
  const rdns: NameAttribute[][] = [[]];
  let at = 0;
  for (;;) {
    const [attribute, end] = attributeAt(text, at);
    rdns.at(-1)?.push(attribute);
    const separator = text[end];
    if (separator === undefined) break;
    if (separator !== '+') rdns.push([]);
    at = end + 1;
  }
  return distinguishedName(rdns.toReversed());
}

function fail(text: string, at: number, what: string): never {
  const shown = text.length > 200 ? `${text.slice(0, 200)}...` : text;
  throw new PkiError(
    'PKI_NAME_INVALID',
    `literalSubject ${JSON.stringify(shown)}, column ${at + 1}: ${what}`,
  );
}

function attributeAt(text: string, start: number): [NameAttribute, number] {
  const match = /^ *([A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+) *=/.exec(text.slice(start));
  const type = match?.[1];
  if (match === null || type === undefined) {
    return fail(text, start, 'expected an attribute such as CN=value');
  }
  const oid = attributeOids[type.toUpperCase()] ?? (isOid(type) ? type : undefined);
  if (oid === undefined) {
    const known = Object.keys(attributeOids).join(', ');
    return fail(
      text,
      start,
      `attribute type ${type} is unknown; use one of ${known}, or its object identifier`,
    );
  }
  const [value, end] = valueAt(text, start + match[0].length);
  return [{ oid, value }, end];
}

/** The value that begins at `start`, and where the separator after it stands (or the text's end). */
function valueAt(text: string, start: number): [string, number] {
  let at = start;
  while (text[at] === ' ') at += 1;
  if (text[at] === '#') return fail(text, at, 'a value in #hex form is not supported; write it as text');
  const octets: Buffer[] = [];
  let kept = 0;
  while (at < text.length) {
    const char = String.fromCodePoint(text.codePointAt(at) ?? 0);
    if (char === ',' || char === '+' || char === ';') break;
    if (char === '\\') {
      const [escape, length] = escapeAt(text, at);
      octets.push(escape);
      kept = octets.length;
      at += length;
      continue;
    }
    if (char === '"' || char === '<' || char === '>' || char === '\0') {
      return fail(text, at, `${JSON.stringify(char)} must be escaped with a backslash`);
    }
    octets.push(Buffer.from(char, 'utf8'));
    if (char !== ' ') kept = octets.length;
    at += char.length;
  }
  // Spaces at the end that were not escaped are padding.
  const value = Buffer.concat(octets.slice(0, kept));
  const decoded = value.toString('utf8');
  if (!Buffer.from(decoded, 'utf8').equals(value))
    return fail(text, start, 'the escaped octets are not UTF-8');
  if (decoded === '') return fail(text, start, 'the value is empty');
  return [decoded, at];
}

function escapeAt(text: string, at: number): [Buffer, number] {
  const hex = /^[0-9A-Fa-f]{2}/.exec(text.slice(at + 1, at + 3))?.[0];
  if (hex !== undefined) return [Buffer.from(hex, 'hex'), 3];
  const next = text[at + 1];
  if (next !== undefined && ' "#+,;<=>\\'.includes(next)) return [Buffer.from(next), 2];
  return fail(text, at, 'a backslash must stand before one of space " # + , ; < = > \\ or two hex digits');
}
