import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { plainAlternativeNames } from './alternative-names.ts';
import { parsePem } from './pem.ts';
import { aCertificate, anAuthority, everyKeySpec, testValidity } from './pki.testing.ts';
import { plainCertificate } from './plain-certificate.ts';

const issuer = await anAuthority();
const rsaIssuer = await anAuthority({ keySpec: { algorithm: 'RSA' } });
const derOf = (pem: string): Buffer => parsePem(pem)[0]?.der ?? Buffer.alloc(0);
const signed = async (wanted: Partial<Parameters<typeof aCertificate>[0]>): Promise<Buffer> =>
  derOf((await aCertificate({ issuer, ...wanted })).certificate);

/** The same, as OpenSSL tells it; undefined where it does not read it. */
function asOpenSsl(der: Buffer): ReturnType<typeof plainCertificate> {
  try {
    const x509 = new X509Certificate(der);
    if (!x509.raw.equals(der) || x509.ca) return undefined;
    const [notBeforeMs, notAfterMs] = [Date.parse(x509.validFrom), Date.parse(x509.validTo)];
    const dnsNames = plainAlternativeNames(x509.subjectAltName ?? '')?.dnsNames ?? [];
    const commonName = x509.subject?.startsWith('CN=') ? x509.subject.slice(3) : undefined;
    return { notBeforeMs, notAfterMs, serialNumber: x509.serialNumber, commonName, dnsNames };
  } catch {
    return undefined;
  }
}
const lowerCase = (read: ReturnType<typeof plainCertificate>) =>
  read && { ...read, dnsNames: read.dnsNames.map(name => name.toLowerCase()) };

describe('a certificate of the plain form', () => {
  const year = (at: number): number => Date.UTC(at, 1, 28, 23, 59, 59);
  it.each([
    ['one name', {}],
    ['a commonName', { commonName: 'site.example' }],
    ['many names, a wildcard among them', { dnsNames: ['*.site.example', 'a_b.example', 'Xn--4ca.example'] }],
    ['a time beyond 2049', { notBeforeMs: year(2049), notAfterMs: year(2050) }],
    ['its times before 2000', { notBeforeMs: year(1950), notAfterMs: year(1999) }],
    ['usages', { usages: ['digital signature', 'server auth'] as const }],
    ['a key on P-384', { keySpec: { algorithm: 'ECDSA', size: 384 } as const }],
    ['an issuer with an RSA key', { issuer: rsaIssuer }],
  ])('with %s is read as OpenSSL reads it', async (_what, wanted) => {
    const der = await signed(wanted);
    const read = plainCertificate(der);
    expect(read).toBeDefined();
    expect(lowerCase(read)).toEqual(asOpenSsl(der));
  });

  it.each([
    ['an authority', { isCA: true }],
    ['an IP address', { ipAddresses: ['192.0.2.1'] }],
    ['an address of mail', { emailAddresses: ['a@site.example'] }],
    ['a commonName of more than a name', { commonName: 'Site, "the" one' }],
    ['no names', { dnsNames: [], commonName: 'site.example' }],
    ['an RSA key', { keySpec: everyKeySpec[0] }],
    ['an Ed25519 key', { keySpec: { algorithm: 'Ed25519' } as const }],
  ])('is not one with %s', async (_what, wanted) => {
    expect(
      plainCertificate(await signed(wanted as Partial<Parameters<typeof aCertificate>[0]>)),
    ).toBeUndefined();
  });

  it('is not one with an octet more or less', async () => {
    const der = await signed({});
    expect(plainCertificate(Buffer.concat([der, Buffer.of(0)]))).toBeUndefined();
    expect(plainCertificate(der.subarray(0, -1))).toBeUndefined();
    expect(plainCertificate(Buffer.alloc(0))).toBeUndefined();
  });

  it('is never one that OpenSSL refuses, or reads otherwise, whatever octet of it is another', async () => {
    const der = await signed({ commonName: 'a.example', dnsNames: ['a.example'], ...testValidity });
    let read = 0;
    for (let at = 0; at < der.length; at++) {
      for (const by of [1, 0x80, 0x20, 0xff]) {
        const bent = Buffer.from(der);
        bent[at] = (bent[at] ?? 0) ^ by;
        const plain = plainCertificate(bent);
        if (plain === undefined) continue;
        read += 1;
        expect({ at, by, ...lowerCase(plain) }).toEqual({ at, by, ...asOpenSsl(bent) });
      }
    }
    expect(read).toBeGreaterThan(0);
  });
});
