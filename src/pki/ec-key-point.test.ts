import { describe, expect, it } from 'vitest';
import { publicKeyInfoOfEcKey } from './ec-key-point.ts';
import { generatePrivateKey, publicKeyOf } from './private-key.ts';

const sizes = [256, 384, 521] as const;
const sec1 = async (size: number): Promise<Buffer> =>
  (await generatePrivateKey({ algorithm: 'ECDSA', size })).export({ format: 'der', type: 'sec1' });

describe('the public half of an ECDSA key', () => {
  it.each(sizes)('is what OpenSSL makes of it, with %i bits', async size => {
    for (let i = 0; i < 20; i++) {
      const key = await generatePrivateKey({ algorithm: 'ECDSA', size });
      const info = publicKeyInfoOfEcKey(key.export({ format: 'der', type: 'sec1' }));
      expect(info).toEqual(publicKeyOf(key).export({ format: 'der', type: 'spki' }));
    }
  });

  it.each(sizes)('is not told where the key names another point, with %i bits', async size => {
    const [one, other] = [await sec1(size), await sec1(size)];
    const length = Math.ceil(size / 8) * 2;
    other.copy(one, one.length - length, other.length - length);
    expect(publicKeyInfoOfEcKey(one)).toBeUndefined();
  });

  it('is not told of damaged keys', async () => {
    const key = await sec1(256);
    const zero = Buffer.from(key).fill(0, 7, 39);
    const tooGreat = Buffer.from(key).fill(0xff, 7, 39);
    const cut = Array.from(key, (_, length) => key.subarray(0, length));
    for (const damaged of [zero, tooGreat, Buffer.concat([key, Buffer.of(0)]), ...cut])
      expect(publicKeyInfoOfEcKey(damaged)).toBeUndefined();
    for (let at = 0; at < key.length; at++) {
      const changed = Buffer.from(key);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(publicKeyInfoOfEcKey(changed)).toBeUndefined();
    }
  });

  it('is not told of a key without the point', () => {
    const short = `30310201010420${'11'.repeat(32)}a00a06082a8648ce3d030107`;
    expect(publicKeyInfoOfEcKey(Buffer.from(short, 'hex'))).toBeUndefined();
  });
});
