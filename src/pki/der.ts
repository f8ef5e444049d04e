/** One value of DER (X.690): where it begins, where its content does, and where it ends. */
export interface DerValue {
  /** The first octet of the tag. */
  readonly tag: number;
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

/** Deeper than anything in X.509. */
const deepest = 32;

/** The value that begins at `at` and ends before `limit`; undefined where there is none, or its length is not as DER has it. */
export function derValueAt(bytes: Uint8Array, at: number, limit: number): DerValue | undefined {
  const tag = bytes[at];
  if (tag === undefined || at >= limit) return undefined;
  let next = at + 1;
  if ((tag & 0x1f) === 0x1f) while (((bytes[next++] ?? 0) & 0x80) !== 0) if (next >= limit) return undefined;
  const first = bytes[next++];
  if (first === undefined) return undefined;
  let length = first;
  if (first >= 0x80) {
    const octets = first & 0x7f;
    if (octets === 0 || octets > 4) return undefined;
    length = 0;
    for (let i = 0; i < octets; i++) length = length * 256 + (bytes[next++] ?? 0);
    // In as few octets as can be (X.690 section 10.1).
    if (length < 0x80 || length < 256 ** (octets - 1)) return undefined;
  }
  return next + length > limit ? undefined : { tag, at, from: next, to: next + length };
}

/** The values between two offsets; undefined where they do not fill them. */
export function derValuesIn(bytes: Uint8Array, from: number, to: number): DerValue[] | undefined {
  const values: DerValue[] = [];
  for (let at = from; at < to; ) {
    const value = derValueAt(bytes, at, to);
    if (value === undefined) return undefined;
    values.push(value);
    at = value.to;
  }
  return values;
}

/** Whether `bytes` are one value of DER and nothing else, and so is each value in it. */
export function isOneDerValue(bytes: Uint8Array): boolean {
  const whole = derValueAt(bytes, 0, bytes.length);
  return whole !== undefined && whole.to === bytes.length && isFilled(bytes, whole, 0);
}

function isFilled(bytes: Uint8Array, { tag, from, to }: DerValue, depth: number): boolean {
  if ((tag & 0x20) === 0) return true;
  if (depth === deepest) return false;
  for (let at = from; at < to; ) {
    const value = derValueAt(bytes, at, to);
    if (value === undefined || !isFilled(bytes, value, depth + 1)) return false;
    at = value.to;
  }
  return true;
}

/** A value of DER: the first octet of its tag, and its content, in parts. */
export function derOf(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.of(tag, ...lengthOctets(length)), ...parts]);
}

/** X.690 section 10.1. */
function lengthOctets(length: number): number[] {
  if (length < 0x80) return [length];
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return [0x80 | octets.length, ...octets];
}
