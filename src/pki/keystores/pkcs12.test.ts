import { createPublicKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import forge from 'node-forge';
import { describe, expect, it } from 'vitest';
import { aCertificate, anAuthority } from '../pki.testing.ts';
import type { KeySpec } from '../private-key.ts';
import { pkcs12KeyStore, pkcs12TrustStore } from './pkcs12.ts';
import type { Pkcs12Profile } from './pkcs12-profile.ts';

/** Not ASCII, which each profile encodes in its own way. */
const password = 'correct hörse';
/** For what node-forge reads back: it takes no UTF-8 in PBES2. */
const plainPassword = 'changeit';
const ca = await anAuthority();
const keySpecs: KeySpec[] = [
  { algorithm: 'RSA' },
  { algorithm: 'ECDSA', size: 384 },
  { algorithm: 'Ed25519' },
];
const profiles: Pkcs12Profile[] = ['LegacyRC2', 'LegacyDES', 'Modern2023'];
/** OpenSSL 3 reads RC2 in its legacy provider alone, so node-forge reads that profile back. */
const openSslProfiles = profiles.filter(profile => profile !== 'LegacyRC2');

async function served(pfx: Buffer): Promise<string | undefined> {
  const server = createServer({ pfx, passphrase: password }, socket => socket.end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect({ port, host: '127.0.0.1', servername: 'site.example', ca: ca.certificate });
  try {
    await once(client, 'secureConnect');
    return client.getPeerX509Certificate()?.toString();
  } finally {
    client.destroy();
    server.close();
  }
}

function readByForge(pfx: Buffer): forge.pkcs12.Pkcs12Pfx {
  const asn1 = forge.asn1.fromDer(pfx.toString('binary'));
  return forge.pkcs12.pkcs12FromAsn1(asn1, plainPassword);
}

/** Every bag of one kind, each as the DER of what it holds. */
function bagsOf(pfx: Buffer, bagType: string): forge.pkcs12.Bag[] {
  return readByForge(pfx).getBags({ bagType })[bagType] ?? [];
}

describe.each(keySpecs)('a PKCS#12 keystore with a key of $algorithm', keySpec => {
  it.each(openSslProfiles)('and profile %s serves TLS', async profile => {
    const { key, certificate } = await aCertificate({ issuer: ca, keySpec });
    const pfx = await pkcs12KeyStore({ key, chain: certificate, ca: ca.certificate, password, profile });
    expect(await served(pfx)).toBe(new X509Certificate(certificate).toString());
  });
});

describe('a PKCS#12 keystore', () => {
  it.each(profiles)('of profile %s gives back its key and its certificates, each once', async profile => {
    const { key, certificate } = await aCertificate({ issuer: ca, keySpec: { algorithm: 'RSA' } });
    const chain = certificate + ca.certificate;
    const pfx = await pkcs12KeyStore({
      key,
      chain,
      ca: ca.certificate,
      password: plainPassword,
      profile,
      alias: 'certificate',
    });
    const [keyBag] = bagsOf(pfx, forge.pki.oids['pkcs8ShroudedKeyBag'] ?? '');
    const found = keyBag?.key as forge.pki.rsa.PrivateKey;
    const publicPem = forge.pki.publicKeyToPem(forge.pki.setRsaPublicKey(found.n, found.e));
    expect(createPublicKey(publicPem).equals(createPublicKey(key))).toBe(true);
    expect(keyBag?.attributes).toMatchObject({ friendlyName: ['certificate'] });
    expect(bagsOf(pfx, forge.pki.oids['certBag'] ?? '')).toHaveLength(2);
  });

  it('is not read with another password', async () => {
    const { key, certificate } = await aCertificate({ issuer: ca });
    const pfx = await pkcs12KeyStore({ key, chain: certificate, password, profile: 'Modern2023' });
    expect(() => createServer({ pfx, passphrase: 'wrong' })).toThrow('mac verify failure');
  });

  it('holds neither the key nor the names in the open', async () => {
    const { key, certificate } = await aCertificate({ issuer: ca });
    const pfx = await pkcs12KeyStore({ key, chain: certificate, password });
    expect(pfx.includes(Buffer.from('site.example'))).toBe(false);
    expect(pfx.includes(key.export({ format: 'der', type: 'pkcs8' }))).toBe(false);
  });
});

describe.each(profiles)('a PKCS#12 truststore of profile %s', profile => {
  it('gives back each authority under its name, marked as trusted for Java', async () => {
    const other = await anAuthority({ commonName: 'Other', keySpec: { algorithm: 'RSA' } });
    const pfx = await pkcs12TrustStore({
      ca: ca.certificate + other.certificate,
      password: plainPassword,
      profile,
    });
    const bags = bagsOf(pfx, forge.pki.oids['certBag'] ?? '');
    const names = bags.map(({ attributes }) => (attributes as { friendlyName: string[] }).friendlyName[0]);
    expect(names).toEqual(['CN=Test CA', 'CN=Other (1)']);
  });
});
