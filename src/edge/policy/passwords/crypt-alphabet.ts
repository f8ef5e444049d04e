const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Three bytes as crypt(3) writes them: `count` characters of six bits, the lowest first. */
export function cryptCharacters(high: number, middle: number, low: number, count: number): string {
  let bits = (high << 16) | (middle << 8) | low;
  let text = '';
  for (let at = 0; at < count; at += 1) {
    text += alphabet.charAt(bits & 0x3f);
    bits >>= 6;
  }
  return text;
}

/** A digest in the order in which crypt(3) takes its bytes: triples of indices, four characters each. */
export function cryptText(digest: Uint8Array, order: readonly (readonly [number, number, number])[]): string {
  const byte = (index: number): number => digest[index] ?? 0;
  return order.map(([a, b, c]) => cryptCharacters(byte(a), byte(b), byte(c), 4)).join('');
}
