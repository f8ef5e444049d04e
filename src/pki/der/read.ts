/** One ASN.1 value as it lies in its bytes. `raw` is header and content; both are views, not copies. */
export interface DerValue {
  /** The identifier octet: class, constructed bit and number (multi-byte numbers are refused). */
  readonly tag: number;
  readonly content: Buffer;
  readonly raw: Buffer;
}

/** What the reader throws on bytes that are not DER. Callers translate it into a PkiError. */
export class DerError extends Error {}

function readAt(bytes: Buffer, at: number): DerValue {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) throw new DerError('the data ends inside a header');
  if ((tag & 0x1f) === 0x1f) throw new DerError('a tag number above 30');
  let length = first;
  let start = at + 2;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw new DerError('an indefinite or oversized length');
    if (start + count > bytes.length) throw new DerError('the data ends inside a length');
    length = bytes.readUIntBE(start, count);
    if (length < 0x80 || bytes[start] === 0) throw new DerError('a length that is not minimal');
    start += count;
  }
  const end = start + length;
  if (end > bytes.length) throw new DerError('a value that is longer than the data');
  return { tag, content: bytes.subarray(start, end), raw: bytes.subarray(at, end) };
}

/**
 * Reads the one DER value that `bytes` hold (X.690 section 10: definite, minimal lengths). Throws
 * DerError where they hold something else, or more; `expected` is the identifier octet it must have.
 */
export function readDer(bytes: Buffer, expected?: number): DerValue {
  const value = readAt(bytes, 0);
  if (value.raw.length !== bytes.length) throw new DerError('data after the value');
  if (expected !== undefined) expectTag(value, expected);
  return value;
}

/** The values inside a constructed value, in order. */
export function childrenOf(value: DerValue): DerValue[] {
  if ((value.tag & 0x20) === 0) throw new DerError('a primitive value where a constructed one belongs');
  return valuesIn(value.content);
}

/** The values that lie one after the other in `bytes`. */
export function valuesIn(bytes: Buffer): DerValue[] {
  const found: DerValue[] = [];
  for (let at = 0; at < bytes.length; ) {
    const value = readAt(bytes, at);
    found.push(value);
    at += value.raw.length;
  }
  return found;
}

/** `value` itself where it is there and has the identifier octet `tag`; else throws DerError. */
export function expectTag(value: DerValue | undefined, tag: number): DerValue {
  if (value === undefined) throw new DerError('a value is missing');
  if (value.tag !== tag)
    throw new DerError(`tag 0x${value.tag.toString(16)} in place of 0x${tag.toString(16)}`);
  return value;
}

/** A BOOLEAN's content. */
export function readBoolean(value: DerValue): boolean {
  const octet = expectTag(value, 0x01).content;
  if (octet.length !== 1) throw new DerError('a boolean that is not one octet');
  return octet[0] !== 0;
}

/** A BIT STRING's octets; `unusedBits` of the last one do not count. */
export function readBitString(value: DerValue | undefined): { bytes: Buffer; unusedBits: number } {
  const { content } = expectTag(value, 0x03);
  const unusedBits = content[0];
  if (unusedBits === undefined || unusedBits > 7 || (unusedBits > 0 && content.length === 1)) {
    throw new DerError('a bit string with a bad first octet');
  }
  return { bytes: content.subarray(1), unusedBits };
}

/** A UTCTime or GeneralizedTime as milliseconds since the epoch (RFC 5280 section 4.1.2.5: Zulu, whole seconds). */
export function readTime(value: DerValue | undefined): number {
  if (value === undefined) throw new DerError('a time is missing');
  const text = value.content.toString('latin1');
  const match = value.tag === 0x17 ? /^(\d\d)(\d{10})Z$/.exec(text) : /^(\d{4})(\d{10})Z$/.exec(text);
  if (match === null || (value.tag !== 0x17 && value.tag !== 0x18))
    throw new DerError('a time that cannot be read');
  const yearDigits = Number(match[1]);
  const year = value.tag === 0x18 ? yearDigits : yearDigits < 50 ? 2000 + yearDigits : 1900 + yearDigits;
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] =
    (match[2] ?? '').match(/\d\d/g)?.map(Number) ?? [];
  const time = new Date(0);
  time.setUTCFullYear(year, month - 1, day);
  time.setUTCHours(hour, minute, second);
  const inRange =
    time.getUTCMonth() === month - 1 && time.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  if (!inRange) throw new DerError('a time that does not exist');
  return time.getTime();
}
