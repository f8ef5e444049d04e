import { createHash } from 'node:crypto';
import { cryptCharacters, cryptText } from './crypt-alphabet.ts';

const order = [
  [0, 6, 12],
  [1, 7, 13],
  [2, 8, 14],
  [3, 9, 15],
  [4, 10, 5],
] as const;

/**
 * A password hashed as `htpasswd -m` does (`$apr1$`) and as crypt(3) did (`$1$`): a thousand rounds of MD5 over password
 * and salt. `magic` is the prefix with both dollar signs, `salt` what follows it, up to eight characters.
 */
export function md5Crypt(password: Buffer, magic: '$apr1$' | '$1$', salt: string): string {
  const saltBytes = Buffer.from(salt, 'latin1');
  const inner = md5(password, saltBytes, password);
  const parts: Buffer[] = [password, Buffer.from(magic), saltBytes];
  for (let left = password.length; left > 0; left -= 16) parts.push(inner.subarray(0, Math.min(16, left)));
  // The odd rule of the first implementation: a NUL or the first byte of the password for each bit of its length.
  for (let bits = password.length; bits > 0; bits >>= 1)
    parts.push((bits & 1) === 1 ? Buffer.alloc(1) : password.subarray(0, 1));
  let digest = md5(...parts);
  for (let round = 0; round < 1_000; round += 1) {
    const odd = (round & 1) === 1;
    const mixed = [odd ? password : digest];
    if (round % 3 !== 0) mixed.push(saltBytes);
    if (round % 7 !== 0) mixed.push(password);
    mixed.push(odd ? digest : password);
    digest = md5(...mixed);
  }
  return `${magic}${salt}$${cryptText(digest, order)}${cryptCharacters(0, 0, digest[11] ?? 0, 2)}`;
}

function md5(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
