import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { aCertificate, anAuthority } from '../pki.testing.ts';
import type { KeySpec } from '../private-key.ts';
import { type ReadJksEntry, readJks } from './jks.testing.ts';
import { jksKeyStore, jksTrustStore } from './jks.ts';

/** Not ASCII: Java takes two octets of each character. */
const password = 'pass-wörd';
const createdMs = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const ca = await anAuthority();
const other = await anAuthority({ commonName: 'Other' });
const derOf = (pem: string): Buffer => new X509Certificate(pem).raw;

/** `keytool -genkeypair -storetype jks -keyalg EC -dname CN=golden -alias Golden` of OpenJDK 17, with the password above. */
const byKeytool = [
  '/u3+7QAAAAIAAAABAAAAAQAGZ29sZGVuAAABofiQbtMAAAB/MH0wDgYKKwYBBAEqAhEBAQUABGs8OSYlnBu5wmycCh+rrUtygz+iJPkRpk63kb',
  '9J39XK4HVq+kfvKcjFsgVUIcAgpWvxmxFOwS/AIunQ7nSei0KPqOc5+agG1lPzoQ8xu6It1F8Nhw4pjrhGGW5oOwCmCTI2hopiVU+jV+ljAgAA',
  'AAEABVguNTA5AAABPTCCATkwgeCgAwIBAgIJAPDdB6nSCt8pMAoGCCqGSM49BAMCMBExDzANBgNVBAMTBmdvbGRlbjAeFw0yNjAxMDEwMDAwMD',
  'BaFw0yNjA0MDEwMDAwMDBaMBExDzANBgNVBAMTBmdvbGRlbjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABC51Zb9Q5iMz+NjLQBNxHb+0CuaN',
  'tCQtDW3riKh2wLD/TPL/iDebwtPn3g9NeIDx9vegUAKehekU3lsDJW5mp7yjITAfMB0GA1UdDgQWBBSGGAoM0xh477MGXtpaFuXxwIc7ajAKBg',
  'gqhkjOPQQDAgNIADBFAiAlzNPiCKp9wZqz22iL9Bp0t1Y9Ibe8lHdwQkdRPnWbSwIhAIfuLPr4GoNwlPm5AKLLlGxT/MEugrVIjl4X8vK+FCZd',
  'tyti0yOvf5p/tF6ix9Yg6bowUug=',
].join('');

const titles = (entries: readonly ReadJksEntry[]): string[] =>
  entries.map(({ alias, key }) => `${alias} ${key === undefined ? 'trusted' : 'key'}`);

it('the reader of these tests reads what keytool has written', () => {
  const [entry, ...others] = readJks(Buffer.from(byKeytool, 'base64'), password);
  const certificate = new X509Certificate(entry?.certificates[0] ?? '');
  const key = createPrivateKey({ key: entry?.key ?? Buffer.alloc(0), format: 'der', type: 'pkcs8' });
  expect(entry?.alias).toBe('golden');
  expect(certificate.subject).toBe('CN=golden');
  expect(certificate.checkPrivateKey(key)).toBe(true);
  expect(others).toEqual([]);
});

const keySpecs: KeySpec[] = [
  { algorithm: 'RSA', size: 3072 },
  { algorithm: 'ECDSA', size: 521 },
  { algorithm: 'Ed25519' },
];

describe('a Java keystore', () => {
  it.each(keySpecs)('gives back a key of $algorithm, its chain and its authorities', async keySpec => {
    const { key, certificate } = await aCertificate({ issuer: ca, keySpec });
    const chain = certificate + ca.certificate;
    const file = jksKeyStore({
      key,
      chain,
      ca: ca.certificate + other.certificate,
      password,
      createdMs,
    });
    expect(readJks(file, password)).toEqual([
      {
        alias: 'certificate',
        createdMs,
        key: key.export({ format: 'der', type: 'pkcs8' }),
        certificates: [derOf(certificate), derOf(ca.certificate)],
      },
      { alias: 'ca', createdMs, key: undefined, certificates: [derOf(ca.certificate)] },
      { alias: 'ca-1', createdMs, key: undefined, certificates: [derOf(other.certificate)] },
    ]);
  });

  it.each([
    ['', ['certificate key', 'ca trusted', 'ca-1 trusted']],
    // Java asks in small letters.
    ['MyApp', ['myapp key', 'ca trusted', 'ca-1 trusted']],
    ['clé', ['clé key', 'ca trusted', 'ca-1 trusted']],
    // The key is not hidden behind an authority.
    ['CA', ['ca key', 'ca-1 trusted', 'ca-2 trusted']],
  ])('with alias "%s" has the entries %j', async (alias, wanted) => {
    const { key, certificate: chain } = await aCertificate({ issuer: ca });
    const both = ca.certificate + other.certificate;
    const file = jksKeyStore({ key, chain, ca: both, alias, password, createdMs });
    expect(titles(readJks(file, password))).toEqual(wanted);
  });

  it('without an authority has the key alone', async () => {
    const { key, certificate: chain } = await aCertificate({ issuer: ca });
    expect(titles(readJks(jksKeyStore({ key, chain, password, createdMs }), password))).toEqual([
      'certificate key',
    ]);
  });

  it('is not read with another password, nor after a change', async () => {
    const { key, certificate: chain } = await aCertificate({ issuer: ca });
    const file = jksKeyStore({ key, chain, password, createdMs });
    expect(() => readJks(file, 'pass-word')).toThrow('tampered with');
    file.writeUInt8(file.readUInt8(100) ^ 1, 100);
    expect(() => readJks(file, password)).toThrow('tampered with');
  });

  it('does not hold the key in the open', async () => {
    const { key, certificate: chain } = await aCertificate({ issuer: ca });
    const file = jksKeyStore({ key, chain, password, createdMs });
    const { d: secret = '' } = key.export({ format: 'jwk' });
    expect(key.export({ format: 'der', type: 'pkcs8' }).includes(Buffer.from(secret, 'base64url'))).toBe(
      true,
    );
    expect(file.includes(Buffer.from(secret, 'base64url'))).toBe(false);
  });

  it('refuses an alias that the format could not carry', async () => {
    const { key, certificate: chain } = await aCertificate({ issuer: ca });
    const alias = 'a'.repeat(70_000);
    expect(() => jksKeyStore({ key, chain, alias, password, createdMs })).toThrow(
      'the alias in keystores.jks is longer than 1024 characters; shorten it',
    );
  });
});

it('a Java truststore has each authority under a name of its own', () => {
  const file = jksTrustStore({ ca: ca.certificate + other.certificate, password, createdMs });
  expect(titles(readJks(file, password))).toEqual(['ca trusted', 'ca-1 trusted']);
});
