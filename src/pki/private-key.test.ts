import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { PkiError } from './errors.ts';
import { everyKeySpec } from './pki.testing.ts';
import {
  encodePrivateKey,
  generatePrivateKey,
  type KeySpec,
  keyKindOf,
  keySpecMismatch,
  parsePrivateKey,
  publicKeyOf,
  samePublicKey,
} from './private-key.ts';

describe.each(everyKeySpec)('a private key of $title', spec => {
  it('is what was asked for', async () => {
    const key = await generatePrivateKey(spec);
    expect(keySpecMismatch(key, spec)).toBeUndefined();
    expect(keyKindOf(publicKeyOf(key))).toEqual({ algorithm: spec.algorithm, size: spec.size });
  });

  it.each(['PKCS1', 'PKCS8'] as const)('is read back from %s', async encoding => {
    const key = await generatePrivateKey(spec);
    const again = parsePrivateKey(Buffer.from(encodePrivateKey(key, encoding)));
    expect(again.equals(key)).toBe(true);
    expect(samePublicKey(again, publicKeyOf(key))).toBe(true);
  });
});

describe('the PEM label of a private key', () => {
  it.each([
    ['RSA', 'PKCS1', 'RSA PRIVATE KEY'],
    ['RSA', 'PKCS8', 'PRIVATE KEY'],
    ['ECDSA', 'PKCS1', 'EC PRIVATE KEY'],
    ['ECDSA', 'PKCS8', 'PRIVATE KEY'],
    ['Ed25519', 'PKCS1', 'PRIVATE KEY'],
    ['Ed25519', 'PKCS8', 'PRIVATE KEY'],
  ] as const)('of %s in %s is %s', async (algorithm, encoding, label) => {
    const pem = encodePrivateKey(await generatePrivateKey({ algorithm }), encoding);
    expect(pem.split('\n')[0]).toBe(`-----BEGIN ${label}-----`);
  });
});

describe('a key spec', () => {
  it('means RSA 2048 when it says nothing, and P-256 when it says ECDSA', async () => {
    expect(keyKindOf(await generatePrivateKey())).toEqual({ algorithm: 'RSA', size: 2048 });
    expect(keyKindOf(await generatePrivateKey({ algorithm: 'ECDSA' }))).toEqual({
      algorithm: 'ECDSA',
      size: 256,
    });
  });

  it.each([
    [{ algorithm: 'RSA', size: 1024 }, 'use 2048 to 8192'],
    [{ algorithm: 'RSA', size: 16_384 }, 'use 2048 to 8192'],
    [{ algorithm: 'ECDSA', size: 224 }, 'use 256, 384 or 521'],
    [{ algorithm: 'DSA' }, 'use RSA, ECDSA or Ed25519'],
  ] as [KeySpec, string][])('%j is refused', async (spec, message) => {
    await expect(generatePrivateKey(spec)).rejects.toThrow(message);
  });

  it.each([
    [{ algorithm: 'RSA', size: 2048 }, "the private key's algorithm is ECDSA, the spec asks for RSA"],
    [{ algorithm: 'ECDSA', size: 384 }, "the private key's size is 256, the spec asks for 384"],
    [{ algorithm: 'Ed25519' }, "the private key's algorithm is ECDSA, the spec asks for Ed25519"],
    [{ algorithm: 'ECDSA' }, undefined],
  ] as [KeySpec, string | undefined][])('%j against a P-256 key: %s', async (spec, sentence) => {
    expect(keySpecMismatch(await generatePrivateKey({ algorithm: 'ECDSA', size: 256 }), spec)).toBe(sentence);
  });

  it('is not met by a curve that Postern does not issue for', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
    expect(keySpecMismatch(privateKey, { algorithm: 'ECDSA' })).toContain('the spec asks for ECDSA');
  });
});

describe('reading a private key', () => {
  const pkcs8 = generateKeyPairSync('ed25519').privateKey;
  const encrypted = pkcs8.export({
    format: 'pem',
    type: 'pkcs8',
    cipher: 'aes-256-cbc',
    passphrase: 'secret',
  });
  const legacy = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    format: 'pem',
    type: 'sec1',
    cipher: 'aes-256-cbc',
    passphrase: 'secret',
  });

  it.each([
    ['nothing', '', 'there is no private key in PEM form'],
    [
      'a certificate',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      'there is no private key',
    ],
    ['rubbish', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', 'does not decode'],
    ['an encrypted key', encrypted, 'without a passphrase'],
    ['an encrypted key of the old form', legacy, 'PEM block 1'],
    [
      'an OpenSSH key',
      '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n',
      'use PKCS#1, SEC 1 or PKCS#8',
    ],
  ])('refuses %s', (_what, pem, message) => {
    expect(() => parsePrivateKey(pem)).toThrow(PkiError);
    expect(() => parsePrivateKey(pem)).toThrow(message);
  });

  it('takes a key after its curve parameters, as OpenSSL writes them', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const parameters = '-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n';
    const pem = parameters + encodePrivateKey(privateKey, 'PKCS1');
    expect(parsePrivateKey(pem).equals(createPrivateKey(encodePrivateKey(privateKey)))).toBe(true);
  });
});
