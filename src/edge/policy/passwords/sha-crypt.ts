import { createHash } from 'node:crypto';
import { cryptCharacters, cryptText } from './crypt-alphabet.ts';

const order256 = [
  [0, 10, 20],
  [21, 1, 11],
  [12, 22, 2],
  [3, 13, 23],
  [24, 4, 14],
  [15, 25, 5],
  [6, 16, 26],
  [27, 7, 17],
  [18, 28, 8],
  [9, 19, 29],
] as const;

/** Each triple is the one before, a byte on and turned by one place. */
const order512 = Array.from({ length: 21 }, (_, at): [number, number, number] => {
  const triple = [at, at + 21, at + 42] as const;
  const turn = at % 3;
  return [triple[turn] ?? 0, triple[(turn + 1) % 3] ?? 0, triple[(turn + 2) % 3] ?? 0];
});

/**
 * A password hashed as crypt(3) does with SHA-256 (`$5$`) or SHA-512 (`$6$`): Drepper, Unix crypt using SHA-256 and SHA-512.
 * `rounds` is undefined where the hash does not state it: 5,000. `salt` has sixteen characters at most.
 */
export function shaCrypt(
  password: Buffer,
  kind: 'sha256' | 'sha512',
  salt: string,
  rounds: number | undefined,
): string {
  const digestOf = (...parts: readonly Uint8Array[]): Buffer => {
    const hash = createHash(kind);
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const saltBytes = Buffer.from(salt, 'latin1');
  const inner = digestOf(password, saltBytes, password);
  const parts = [password, saltBytes, stretched(inner, password.length)];
  for (let bits = password.length; bits > 0; bits >>= 1) parts.push((bits & 1) === 1 ? inner : password);
  let digest = digestOf(...parts);
  const passwordPart = stretched(digestOf(...repeated(password, password.length)), password.length);
  const saltPart = stretched(digestOf(...repeated(saltBytes, 16 + (digest[0] ?? 0))), saltBytes.length);
  for (let round = 0; round < (rounds ?? 5_000); round += 1) {
    const odd = (round & 1) === 1;
    const mixed = [odd ? passwordPart : digest];
    if (round % 3 !== 0) mixed.push(saltPart);
    if (round % 7 !== 0) mixed.push(passwordPart);
    mixed.push(odd ? digest : passwordPart);
    digest = digestOf(...mixed);
  }
  const stated = rounds === undefined ? '' : `rounds=${rounds}$`;
  const text =
    kind === 'sha256'
      ? cryptText(digest, order256) + cryptCharacters(0, digest[31] ?? 0, digest[30] ?? 0, 3)
      : cryptText(digest, order512) + cryptCharacters(0, 0, digest[63] ?? 0, 2);
  return `${kind === 'sha256' ? '$5$' : '$6$'}${stated}${salt}$${text}`;
}

function stretched(digest: Buffer, length: number): Buffer {
  return Buffer.alloc(length, digest);
}

function repeated(bytes: Buffer, times: number): Buffer[] {
  return Array.from({ length: times }, () => bytes);
}
