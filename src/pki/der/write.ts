import { oidContent } from './oid.ts';

/** One value: identifier octet, length, and the given parts as its content. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  if (length < 0x80) return Buffer.concat([Uint8Array.of(tag, length), ...parts]);
  const size = length < 0x100 ? 1 : length < 0x1_0000 ? 2 : length < 0x100_0000 ? 3 : 4;
  const header = Buffer.alloc(2 + size);
  header[0] = tag;
  header[1] = 0x80 | size;
  header.writeUIntBE(length, 2, size);
  return Buffer.concat([header, ...parts]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
/** SET OF: DER wants its members in the order of their bytes. */
export const setOf = (...parts: readonly Uint8Array[]): Buffer =>
  der(0x31, ...parts.toSorted((a, b) => Buffer.compare(a, b)));
export const octetString = (content: Uint8Array): Buffer => der(0x04, content);
export const utf8String = (text: string): Buffer => der(0x0c, Buffer.from(text, 'utf8'));
export const objectIdentifier = (text: string): Buffer => der(0x06, oidContent(text));
/** A context tag over one or more whole values: `[n] EXPLICIT`, or `[n] IMPLICIT` of a constructed type. */
export const context = (number: number, ...parts: readonly Uint8Array[]): Buffer =>
  der(0xa0 | number, ...parts);
/** `[n] IMPLICIT` of a primitive type: the tag stands in place of the type's own. */
export const contextPrimitive = (number: number, content: Uint8Array): Buffer => der(0x80 | number, content);
export const derTrue: Buffer = der(0x01, Uint8Array.of(0xff));
export const derNull: Buffer = der(0x05);

/** A non-negative INTEGER, from a number or from big-endian octets. */
export function integer(value: number | Uint8Array): Buffer {
  let octets = Buffer.from(typeof value === 'number' ? hexOf(value) : value);
  while (octets.length > 1 && octets[0] === 0 && ((octets[1] ?? 0) & 0x80) === 0) octets = octets.subarray(1);
  const needsSign = octets.length === 0 || ((octets[0] ?? 0) & 0x80) !== 0;
  return needsSign ? der(0x02, Uint8Array.of(0), octets) : der(0x02, octets);
}

function hexOf(value: number): Buffer {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}

/** A BIT STRING of whole octets. */
export const bitString = (content: Uint8Array, unusedBits = 0): Buffer =>
  der(0x03, Uint8Array.of(unusedBits), content);

const lastSecondMs = Date.UTC(9999, 11, 31, 23, 59, 59);

/**
 * UTCTime through 2049, GeneralizedTime after (RFC 5280 section 4.1.2.5). What is below a second is cut off;
 * what is past the year 9999 becomes its last second, which stands for "no end".
 */
export function time(epochMs: number): Buffer {
  const digits = new Date(Math.min(epochMs, lastSecondMs)).toISOString().replace(/[-:T]/g, '').slice(0, 14);
  const year = Number(digits.slice(0, 4));
  return year >= 1950 && year < 2050
    ? der(0x17, Buffer.from(`${digits.slice(2)}Z`, 'latin1'))
    : der(0x18, Buffer.from(`${digits}Z`, 'latin1'));
}
