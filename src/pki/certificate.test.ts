import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CertificateInfo, parseCertificate, parseCertificates, readCertificate } from './certificate.ts';
import { PkiError } from './errors.ts';
import { canonicalIp } from './ip-address.ts';
import { aCertificate, anAuthority } from './pki.testing.ts';
import { subjectName } from './subject.ts';

const authority = await anAuthority();
const issuer = { certificate: authority.certificate, key: authority.key };
const { certificate } = await aCertificate({
  issuer,
  commonName: 'shop.example',
  dnsNames: ['shop.example', '*.shop.example'],
  ipAddresses: ['192.0.2.1', '2001:db8::1'],
  uris: ['https://shop.example/a,b'],
  emailAddresses: ['admin@shop.example'],
  otherNames: [{ oid: '1.3.6.1.4.1.311.20.2.3', utf8Value: 'a@b' }],
});

/** What Postern and OpenSSL must both say. */
function comparable(info: CertificateInfo): unknown[] {
  const { serialNumber, notBeforeMs, notAfterMs, isCA, fingerprint256 } = info;
  return [serialNumber, notBeforeMs, notAfterMs, isCA, fingerprint256, info.publicKey.asymmetricKeyType];
}

function comparableOfOpenSsl(x509: X509Certificate): unknown[] {
  return [
    x509.serialNumber === '0' ? '00' : x509.serialNumber,
    x509.validFromDate.getTime(),
    x509.validToDate.getTime(),
    x509.ca,
    x509.fingerprint256.replaceAll(':', '').toLowerCase(),
    x509.publicKey.asymmetricKeyType,
  ];
}

describe('reading a certificate', () => {
  it('agrees with OpenSSL on every public root', () => {
    for (const pem of rootCertificates) {
      const info = parseCertificate(pem);
      expect(comparable(info)).toEqual(comparableOfOpenSsl(new X509Certificate(pem)));
      expect(info.selfSigned).toBe(true);
      expect(info.commonName ?? info.subject.text).not.toBe('');
    }
  });

  it('gives the same authority key identifier whether or not all the rest was read', () => {
    const found = rootCertificates.map(pem => {
      const [alone, whole] = [parseCertificates(pem)[0], parseCertificates(pem)[0]];
      expect(whole?.usages).toBeDefined();
      expect(alone?.authorityKeyId).toEqual(whole?.authorityKeyId);
      return whole?.authorityKeyId;
    });
    expect(found.filter(id => id !== undefined).length).toBeGreaterThan(10);
  });

  it('gives names, keys and identifiers', () => {
    const info = parseCertificate(Buffer.from(certificate));
    expect(info).toMatchObject({
      pem: certificate,
      commonName: 'shop.example',
      dnsNames: ['shop.example', '*.shop.example'],
      ipAddresses: ['192.0.2.1', '2001:db8::1'],
      uris: ['https://shop.example/a,b'],
      emailAddresses: ['admin@shop.example'],
      otherNames: [{ oid: '1.3.6.1.4.1.311.20.2.3', utf8Value: 'a@b' }],
      isCA: false,
      selfSigned: false,
      keyKind: { algorithm: 'ECDSA', size: 256 },
    });
    expect(info.subject.text).toBe('CN=shop.example');
    expect(info.issuer.text).toBe('CN=Test CA');
    expect(info.authorityKeyId).toEqual(parseCertificate(authority.certificate).subjectKeyId);
  });

  it('gives every certificate of a bundle in order, and passes over other blocks', () => {
    const bundle = `${certificate}-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n${authority.certificate}`;
    expect(parseCertificates(bundle).map(({ commonName }) => commonName)).toEqual([
      'shop.example',
      'Test CA',
    ]);
  });

  it.each([
    ['nothing', '', 'there is no certificate in PEM form'],
    [
      'rubbish',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      'the certificate is damaged',
    ],
    ['half of one', certificate.slice(0, 200), 'PEM block 1 of 1 is damaged or cut off'],
  ])('refuses %s', (_what, pem, message) => {
    expect(() => parseCertificate(pem)).toThrow(PkiError);
    expect(() => parseCertificate(pem)).toThrow(message);
  });

  it.each([
    ['data after it', (hex: string) => `${hex}0500`, 'it is not DER alone'],
    [
      'a beginning on the 99th of a month',
      (hex: string) => hex.replace(/(301e170d.{8})..../, '$13939'),
      'no valid dates',
    ],
    [
      'an end on the 99th of a month',
      (hex: string) => hex.replace(/(301e170d.{26}170d.{8})..../, '$13939'),
      'no valid dates',
    ],
    ['a damaged subjectAltName', (hex: string) => hex.replace('820c73686f70', '8f0c73686f70'), 'is damaged'],
    ['a DNS name with a NUL', (hex: string) => hex.replace('820c73686f70', '820c73006f70'), 'not ASCII text'],
  ])('refuses one with %s', (_what, damage, message) => {
    const damaged = Buffer.from(damage(parseCertificate(certificate).der.toString('hex')), 'hex');
    expect(() => readCertificate(damaged)).toThrow(PkiError);
    expect(() => readCertificate(damaged)).toThrow(message);
  });

  it('gives a commonName and names of any kind, by OpenSSL or without it', async () => {
    const dnsName = fc.domain().map(name => name.toLowerCase());
    const named = fc.record({
      commonName: fc.string({ unit: 'binary', minLength: 1, maxLength: 16 }),
      organizations: fc.array(fc.string({ unit: 'grapheme', minLength: 1 }), { maxLength: 2 }),
      dnsNames: fc.uniqueArray(dnsName, { maxLength: 3 }),
      ipAddresses: fc.uniqueArray(
        fc.oneof(fc.ipV4(), fc.ipV6()).map(address => canonicalIp(address) ?? ''),
        { maxLength: 2 },
      ),
      uris: fc.uniqueArray(fc.constantFrom('spiffe://a/b', "https://a.example/?a='b',DNS:evil.example"), {
        maxLength: 2,
      }),
      emailAddresses: fc.uniqueArray(fc.emailAddress(), { maxLength: 1 }),
    });
    await fc.assert(
      fc.asyncProperty(named, async ({ organizations, commonName, ...names }) => {
        const made = await aCertificate({
          issuer,
          key: authority.key,
          ...names,
          subject: subjectName({ subject: { organizations }, commonName }),
        });
        expect(parseCertificate(made.certificate)).toMatchObject({ commonName, ...names });
      }),
    );
  });

  it('never throws anything but PkiError, whatever was damaged', () => {
    const { der } = parseCertificate(certificate);
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.nat(255), (at, octet) => {
        const damaged = Buffer.from(der);
        damaged[at] = octet;
        try {
          const info = readCertificate(damaged);
          expect([info.selfSigned, info.publicKey.type]).toEqual([false, 'public']);
        } catch (error) {
          expect(error).toBeInstanceOf(PkiError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
