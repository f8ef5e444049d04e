import { createHash, timingSafeEqual } from 'node:crypto';
import { compareSync } from 'bcryptjs';
import { md5Crypt } from './md5-crypt.ts';
import { shaCrypt } from './sha-crypt.ts';

/** Longer passwords are wrong: the older hashes take time that grows with the square of the length. */
const longestPassword = 512;
/** Hashes that would keep a thread busy for many seconds are not taken. */
const highestBcryptCost = 15;
const mostRounds = 1_000_000;

const bcryptForm = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
const md5Form = /^(\$apr1\$|\$1\$)([^$]{0,8})\$[./A-Za-z0-9]{22}$/;
const shaForm = /^\$([56])\$(?:rounds=(\d{1,9})\$)?([^$]{0,16})\$[./A-Za-z0-9]+$/;
const plainSha = /^\{SHA\}[A-Za-z0-9+/]{27}=$/;
const saltedSha = /^\{SSHA\}([A-Za-z0-9+/]{28,}={0,2})$/;

/** Why a line's hash cannot be checked, or undefined where it can. The sentence tells nothing of the hash. */
export function unusableHash(hash: string): string | undefined {
  const cost = bcryptForm.exec(hash)?.[1];
  if (cost !== undefined) {
    return Number(cost) <= highestBcryptCost && Number(cost) >= 4
      ? undefined
      : `its bcrypt cost is ${Number(cost)}: use 4 to ${highestBcryptCost}`;
  }
  const sha = shaForm.exec(hash);
  if (sha !== null) {
    const rounds = Number(sha[2] ?? 5_000);
    return rounds >= 1_000 && rounds <= mostRounds
      ? undefined
      : `it has ${rounds} rounds: use 1000 to ${mostRounds}`;
  }
  if (md5Form.test(hash) || plainSha.test(hash) || saltedSha.test(hash)) return undefined;
  return 'its hash is of no kind that is supported: use bcrypt (htpasswd -B)';
}

/**
 * Whether a password is the one of a hash of an htpasswd file: bcrypt, `$apr1$`, `$1$`, `$5$`, `$6$`, `{SHA}` or `{SSHA}`.
 * Takes from microseconds to a second of the processor.
 */
export function verifyPassword(password: string, hash: string): boolean {
  const bytes = Buffer.from(password, 'utf8');
  if (bytes.length > longestPassword || unusableHash(hash) !== undefined) return false;
  if (bcryptForm.test(hash)) return compareSync(password, hash);
  const [, magic, salt = ''] = md5Form.exec(hash) ?? [];
  if (magic === '$apr1$' || magic === '$1$') return same(md5Crypt(bytes, magic, salt), hash);
  const sha = shaForm.exec(hash);
  if (sha !== null) {
    const rounds = sha[2] === undefined ? undefined : Number(sha[2]);
    return same(shaCrypt(bytes, sha[1] === '5' ? 'sha256' : 'sha512', sha[3] ?? '', rounds), hash);
  }
  if (plainSha.test(hash)) return same(`{SHA}${createHash('sha1').update(bytes).digest('base64')}`, hash);
  const salted = Buffer.from(saltedSha.exec(hash)?.[1] ?? '', 'base64');
  const digest = createHash('sha1').update(bytes).update(salted.subarray(20)).digest();
  return salted.length > 20 && timingSafeEqual(digest, salted.subarray(0, 20));
}

function same(made: string, stored: string): boolean {
  const [a, b] = [Buffer.from(made), Buffer.from(stored)];
  return a.length === b.length && timingSafeEqual(a, b);
}
