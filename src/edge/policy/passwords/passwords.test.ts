import { hashSync } from 'bcryptjs';
import { afterAll, describe, expect, it } from 'vitest';
import { createPasswordChecker } from './password-checker.ts';
import { unusableHash, verifyPassword } from './verify-password.ts';

const long = 'ein langes Passwort mit ä und mehr als vierundsechzig Zeichen, damit alle Schleifen laufen';

/** Made by `openssl passwd`, `htpasswd` and the `{SHA}` of RFC 2307. */
const rows: [kind: string, password: string, hash: string][] = [
  ['apr1', 'Hello world!', '$apr1$abcdefgh$Unf1zc.jsgCbBQDCL104q.'],
  ['apr1, long', long, '$apr1$abcdefgh$vVpz.CQ1v1X0If5cXGOS60'],
  ['md5', 'Hello world!', '$1$abcdefgh$fzmjzFdo5nMtBG8gtud5e0'],
  ['md5, long', long, '$1$abcdefgh$QlfHb0vIznhjtATactkUw.'],
  ['sha-256', 'Hello world!', '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5'],
  ['sha-256, long', long, '$5$saltstring$d2sdcuXIuNOobhgpiPooGNs4BCnmjWg.dnKhCHSVgc1'],
  [
    'sha-256 with rounds',
    'Hello world!',
    '$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA',
  ],
  [
    'sha-512',
    'Hello world!',
    '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
  ],
  [
    'sha-512, long',
    long,
    '$6$saltstring$0Z8NYFrAkdDimG71ffJOMZWpW0xg.kCpq/Rt0yMFnlSblgiHCsPjOVQZJNqkMRsn4.pVOly8jAsqu0g07X6LF.',
  ],
  ['SHA', 'password', '{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g='],
  ['bcrypt', 'secret', hashSync('secret', 4)],
  ['bcrypt of Apache', 'secret', hashSync('secret', 4).replace('$2b$', '$2y$')],
];

describe('passwords', () => {
  it.each(rows)('%s', (_kind, password, hash) => {
    expect(unusableHash(hash)).toBeUndefined();
    expect(verifyPassword(password, hash)).toBe(true);
    expect(verifyPassword(`${password}x`, hash)).toBe(false);
    expect(verifyPassword('', hash)).toBe(false);
  });

  it.each([
    ['a password in the clear', 'secret'],
    ['DES', 'rqXexS6ZhobKA'],
    ['nothing', ''],
    ['bcrypt that takes hours', `$2b$31$${'a'.repeat(53)}`],
    ['too many rounds', '$6$rounds=999999999$salt$abc'],
    ['digest authentication', 'd41d8cd98f00b204e9800998ecf8427e'],
  ])('%s is not taken', (_what, hash) => {
    expect(unusableHash(hash)).toBeDefined();
    expect(verifyPassword('secret', hash)).toBe(false);
    expect(unusableHash(hash)).not.toContain('secret');
  });
});

describe('the checker', () => {
  const ann = (password: string) => ({ user: 'ann', password });
  const checker = createPasswordChecker();
  afterAll(() => checker.close());

  it('computes an answer once, and forgets it when the hash is another', async () => {
    const hash = hashSync('secret', 4);
    expect(checker.known(ann('secret'), hash)).toBeUndefined();
    const answers = await Promise.all([
      checker.check(ann('secret'), hash),
      checker.check(ann('secret'), hash),
    ]);
    expect(answers).toEqual([true, true]);
    expect(checker.known(ann('secret'), hash)).toBe(true);
    expect(await checker.check(ann('guess'), hash)).toBe(false);
    expect(checker.known(ann('guess'), hash)).toBe(false);
    expect(checker.known(ann('secret'), hashSync('secret', 4))).toBeUndefined();
    expect(checker.known({ user: 'bob', password: 'secret' }, hash)).toBeUndefined();
  });

  it('turns away what does not fit its queue', async () => {
    const hash = hashSync('secret', 4);
    const guesses = Array.from({ length: 100 }, (_, at) => checker.check(ann(`guess ${at}`), hash));
    expect(await checker.check(ann('secret'), hash)).toBe(false);
    expect(new Set(await Promise.all(guesses))).toEqual(new Set([false]));
    expect(await checker.check(ann('secret'), hash)).toBe(true);
  });

  it('begins anew after it was closed, and lets nobody in who was waiting', async () => {
    const hash = hashSync('other', 4);
    const waiting = checker.check(ann('other'), hash);
    checker.close();
    expect(await waiting).toBe(false);
    expect(await checker.check(ann('other'), hash)).toBe(true);
  });
});
