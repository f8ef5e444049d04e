import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { parseCertificate } from './certificate.ts';
import { createCsr, parseCsr } from './csr.ts';
import { PkiError } from './errors.ts';
import { aCertificate, anAuthority, everyKeySpec, testValidity } from './pki.testing.ts';
import { encodePrivateKey, generatePrivateKey, publicKeyOf } from './private-key.ts';
import { selfSign, signCertificate } from './sign.ts';
import { subjectName } from './subject.ts';

/** Serves `cert` on loopback and connects to it as a client that trusts `ca`; gives the peer's names. Rejects where the client does not verify. */
async function handshake(options: { key: string; cert: string; ca: string; host: string }): Promise<string> {
  const server = createServer({ key: options.key, cert: options.cert }, socket => socket.end());
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect({ port, host: '127.0.0.1', servername: options.host, ca: options.ca });
  try {
    await once(client, 'secureConnect');
    return client.getPeerX509Certificate()?.subjectAltName ?? '';
  } finally {
    client.destroy();
    server.close();
  }
}

describe.each(everyKeySpec)('a certificate by keys of $title', spec => {
  it('is trusted in a TLS handshake, through an intermediate, after a CSR', async () => {
    const root = await anAuthority({ keySpec: spec, commonName: 'Root' });
    const middle = await aCertificate({
      keySpec: spec,
      issuer: root,
      commonName: 'Middle',
      isCA: true,
      dnsNames: [],
    });
    const key = await generatePrivateKey(spec);
    const csr = parseCsr(
      await createCsr({ key, dnsNames: ['site.example'], usages: ['server auth', 'digital signature'] }),
    );
    const leaf = await signCertificate({ ...csr, ...testValidity, issuer: middle });
    const names = await handshake({
      key: encodePrivateKey(key),
      cert: leaf + middle.certificate,
      ca: root.certificate,
      host: 'site.example',
    });
    expect(names).toBe('DNS:site.example');
  });

  it('is, self-signed, trusted by those who trust it', async () => {
    const key = await generatePrivateKey(spec);
    const cert = await selfSign({
      ...testValidity,
      key,
      subject: subjectName({}),
      dnsNames: ['site.example'],
    });
    const own = { key: encodePrivateKey(key, 'PKCS8'), cert, ca: cert };
    await expect(handshake({ ...own, host: 'site.example' })).resolves.toBe('DNS:site.example');
    await expect(handshake({ ...own, host: 'other.example' })).rejects.toThrow('does not match');
    expect(parseCertificate(cert).selfSigned).toBe(true);
  });
});

describe('a signed certificate', () => {
  it('is what OpenSSL takes it for', async () => {
    const issuer = await anAuthority({ keySpec: { algorithm: 'RSA' } });
    const { certificate, key } = await aCertificate({
      issuer,
      keySpec: { algorithm: 'RSA' },
      commonName: 'shop.example',
      dnsNames: ['*.shop.example'],
      ipAddresses: ['2001:db8::1'],
      emailAddresses: ['admin@shop.example'],
      uris: ['spiffe://a/b'],
      ocspServers: ['http://ocsp.example'],
      issuingCertificateURLs: ['http://ca.example/ca.crt'],
      crlDistributionPoints: ['http://crl.example/ca.crl'],
      serialNumber: '00c0ffee',
    });
    const [x509, authority] = [new X509Certificate(certificate), new X509Certificate(issuer.certificate)];
    expect(x509.checkIssued(authority) && x509.verify(authority.publicKey)).toBe(true);
    expect(x509.checkPrivateKey(key)).toBe(true);
    expect(x509.checkHost('a.shop.example')).toBe('*.shop.example');
    expect(x509.checkIP('2001:db8::1')).toBe('2001:db8::1');
    expect(x509.checkEmail('admin@shop.example')).toBe('admin@shop.example');
    expect(x509.infoAccess?.trimEnd()).toBe(
      'OCSP - URI:http://ocsp.example\nCA Issuers - URI:http://ca.example/ca.crt',
    );
    expect(x509.serialNumber).toBe('C0FFEE');
    expect([x509.ca, authority.ca]).toEqual([false, true]);
    expect(certificate).toContain('-----BEGIN CERTIFICATE-----');
    expect(x509.raw.includes('http://crl.example/ca.crl')).toBe(true);
  });

  it('has a serial number of its own, positive and of at most 20 octets', async () => {
    const issuer = await anAuthority();
    const serials = await Promise.all(
      Array.from(
        { length: 20 },
        async () => parseCertificate((await aCertificate({ issuer })).certificate).serialNumber,
      ),
    );
    expect(new Set(serials).size).toBe(20);
    expect(serials.filter(serial => !/^[4-7][0-9A-F]{31}$/.test(serial))).toEqual([]);
  });

  it('ends with the year 9999 where it is to end later', async () => {
    const { certificate } = await aCertificate({ issuer: await anAuthority(), notAfterMs: 8.64e15 });
    expect(new X509Certificate(certificate).validTo).toBe('Dec 31 23:59:59 9999 GMT');
  });

  it.each([
    ['2049-12-31T23:59:59.999Z', '170d3439'],
    ['2050-01-01T00:00:00Z', '180f3230353030'],
  ])('that ends at %s has the time in the form for its year', async (end, hex) => {
    const { certificate } = await aCertificate({ issuer: await anAuthority(), notAfterMs: Date.parse(end) });
    const info = parseCertificate(certificate);
    expect(info.der.toString('hex')).toContain(hex);
    expect(info.notAfterMs).toBe(Math.floor(Date.parse(end) / 1000) * 1000);
  });

  it.each([
    ['an empty subject', '', true],
    ['a subject', 'shop.example', false],
  ])('with %s has a critical subjectAltName: %s', async (_what, commonName, critical) => {
    const { certificate } = await aCertificate({ issuer: await anAuthority(), commonName });
    // 2.5.29.17, then BOOLEAN TRUE where it is critical.
    const found = parseCertificate(certificate).der.toString('hex').includes('0603551d110101ff');
    expect(found).toBe(critical);
  });

  it('keeps an authority to its name constraints', async () => {
    const root = await anAuthority({ commonName: 'Root' });
    const nameConstraints = { critical: true, permitted: { dnsDomains: ['good.example'] } };
    const middle = await aCertificate({
      issuer: root,
      commonName: 'M',
      isCA: true,
      dnsNames: [],
      nameConstraints,
    });
    const serve = async (host: string): Promise<string> => {
      const leaf = await aCertificate({ issuer: middle, dnsNames: [host] });
      const cert = leaf.certificate + middle.certificate;
      return handshake({ key: encodePrivateKey(leaf.key), cert, ca: root.certificate, host });
    };
    await expect(serve('a.good.example')).resolves.toBe('DNS:a.good.example');
    await expect(serve('bad.example')).rejects.toThrow('permitted subtree violation');
  });

  it.each([
    ['an issuer that is no authority', 'leaf', {}, 'PKI_CERTIFICATE_INVALID', 'isCA is false'],
    ["a key that is not the issuer's", 'stolen', {}, 'PKI_KEY_INVALID', 'does not belong to the certificate'],
    ['an end before its beginning', 'root', { notAfterMs: 0 }, 'PKI_UNSUPPORTED', 'end before it begins'],
    ['a serial number of zero', 'root', { serialNumber: '00' }, 'PKI_UNSUPPORTED', 'serialNumber'],
    [
      'a negative serial number',
      'root',
      { serialNumber: 'ff'.repeat(20) },
      'PKI_UNSUPPORTED',
      'serialNumber',
    ],
    ['a relative OCSP address', 'root', { ocspServers: ['ocsp'] }, 'PKI_NAME_INVALID', 'ocspServers'],
    [
      "another key's algorithm",
      'root',
      { signatureAlgorithm: 'SHA256WithRSA' },
      'PKI_UNSUPPORTED',
      'algorithm RSA',
    ],
  ] as const)('is refused with %s', async (_what, by, overrides, code, message) => {
    const root = await anAuthority();
    const leaf = await aCertificate({ issuer: root });
    const issuers = { leaf, stolen: { ...root, key: leaf.key }, root };
    const signed = signCertificate({
      ...testValidity,
      subject: subjectName({ commonName: 'a' }),
      publicKey: publicKeyOf(leaf.key),
      ...overrides,
      issuer: issuers[by],
    });
    await expect(signed).rejects.toThrow(PkiError);
    await expect(signed).rejects.toMatchObject({ code, message: expect.stringContaining(message) as string });
  });
});
