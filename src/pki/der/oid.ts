import { DerError } from './read.ts';

/** Whether `text` is an object identifier in dotted form, such as `1.3.6.1.4.1.311.20.2.3`. */
export function isOid(text: string): boolean {
  const arcs = text.length <= 255 && /^[0-2](?:\.(?:0|[1-9]\d*))+$/.test(text) ? text.split('.') : undefined;
  return arcs !== undefined && (arcs[0] === '2' || Number(arcs[1]) < 40);
}

/** The content octets of an OBJECT IDENTIFIER (X.690 section 8.19). Throws DerError where `text` is none. */
export function oidContent(text: string): Buffer {
  if (!isOid(text)) throw new DerError('not an object identifier');
  const [first = 0n, second = 0n, ...rest] = text.split('.').map(BigInt);
  const octets: number[] = [];
  for (const arc of [first * 40n + second, ...rest]) {
    const base128 = [Number(arc & 0x7fn)];
    for (let left = arc >> 7n; left > 0n; left >>= 7n) base128.unshift(Number(left & 0x7fn) | 0x80);
    octets.push(...base128);
  }
  return Buffer.from(octets);
}

const textOf = new Map<string, string>();

/** The dotted form of an OBJECT IDENTIFIER's content octets. */
export function oidText(content: Buffer): string {
  const key = content.toString('latin1');
  const known = textOf.get(key);
  if (known !== undefined) return known;
  if (content.length === 0 || content.length > 255 || ((content.at(-1) ?? 0x80) & 0x80) !== 0) {
    throw new DerError('an object identifier that is cut off');
  }
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const octet of content) {
    arc = (arc << 7n) | BigInt(octet & 0x7f);
    if ((octet & 0x80) === 0) {
      arcs.push(arc);
      arc = 0n;
    }
  }
  const [head = 0n, ...rest] = arcs;
  const first = head < 40n ? 0n : head < 80n ? 1n : 2n;
  const text = [first, head - first * 40n, ...rest].join('.');
  // The identifiers of this world are few; the bound is for input made to be all different.
  if (textOf.size < 1_000) textOf.set(key, text);
  return text;
}
