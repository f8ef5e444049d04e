import { sign } from 'node:crypto';
import { CertificationRequest } from '@peculiar/asn1-csr';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode } from './asn1.ts';
import { type CsrSpec, createCsr, parseCsr } from './csr.ts';
import { PkiError } from './errors.ts';
import { encodePem, parsePem } from './pem.ts';
import { everyKeySpec } from './pki.testing.ts';
import { generatePrivateKey, samePublicKey } from './private-key.ts';
import type { SignatureAlgorithm } from './signature.ts';

const key = await generatePrivateKey({ algorithm: 'ECDSA' });
const rsaKey = await generatePrivateKey({ algorithm: 'RSA' });
const everything: CsrSpec = {
  commonName: 'shop.example',
  subject: {
    organizations: ['Acme, Inc.', 'Zweite'],
    countries: ['NO'],
    organizationalUnits: ['web'],
    localities: ['Oslo'],
    provinces: ['Østlandet'],
    streetAddresses: ['1 Main St'],
    postalCodes: ['0150'],
    serialNumber: '42',
  },
  dnsNames: ['Shop.example', '*.shop.example', 'bücher.example', 'shop.example'],
  ipAddresses: ['192.0.2.1', '2001:DB8:0::1', '::ffff:192.0.2.1'],
  uris: ['spiffe://cluster.local/ns/a/sa/b'],
  emailAddresses: ['admin@shop.example'],
  otherNames: [{ oid: '1.3.6.1.4.1.311.20.2.3', utf8Value: 'üser@shop.example' }],
  usages: ['digital signature', 'server auth'],
  isCA: true,
  nameConstraints: {
    critical: true,
    permitted: { dnsDomains: ['shop.example'], ipRanges: ['10.0.0.0/8', '2001:db8::/33'] },
    excluded: { emailAddresses: ['bad@shop.example'], uriDomains: ['.bad.example'] },
  },
};

describe.each(everyKeySpec)('a CSR by a key of $title', spec => {
  it('carries what was asked for, signed by that key', async () => {
    const own = await generatePrivateKey(spec);
    const csr = parseCsr(await createCsr({ ...everything, key: own }));
    expect(samePublicKey(csr.publicKey, own)).toBe(true);
    expect(csr.keyKind).toEqual({ algorithm: spec.algorithm, size: spec.size });
    expect(csr).toMatchObject({
      commonName: 'shop.example',
      dnsNames: ['shop.example', '*.shop.example', 'xn--bcher-kva.example'],
      ipAddresses: ['192.0.2.1', '2001:db8::1'],
      uris: everything.uris,
      emailAddresses: everything.emailAddresses,
      otherNames: everything.otherNames,
      unsupportedNames: [],
      usages: ['digital signature', 'cert sign', 'server auth'],
      isCA: true,
      nameConstraints: everything.nameConstraints,
    });
    expect(csr.subject.text).toBe(
      String.raw`SERIALNUMBER=42,CN=shop.example,POSTALCODE=0150,STREET=1 Main St,ST=Østlandet,L=Oslo,OU=web,O=Zweite+O=Acme\, Inc.,C=NO`,
    );
  });
});

describe('a CSR', () => {
  it('asks for the default usages, and for nothing else, where the spec says nothing', async () => {
    expect(parseCsr(await createCsr({ key, dnsNames: ['a.example'] }))).toMatchObject({
      commonName: undefined,
      usages: ['digital signature', 'key encipherment'],
      isCA: false,
      nameConstraints: undefined,
    });
  });

  it('has the replacement character for half a character', async () => {
    const otherNames = [{ oid: '1.2.3', utf8Value: 'b\ud800' }];
    const csr = parseCsr(await createCsr({ key, commonName: 'a\ud800', otherNames }));
    expect([csr.commonName, csr.otherNames]).toEqual(['a\ufffd', [{ oid: '1.2.3', utf8Value: 'b\ufffd' }]]);
  });

  it('names no usages where the spec keeps them out', async () => {
    const csr = await createCsr({ key, dnsNames: ['a.example'], encodeUsagesInRequest: false });
    expect(parseCsr(csr).usages).toEqual([]);
  });

  it('takes its subject from literalSubject where there is one', async () => {
    const csr = parseCsr(
      await createCsr({ key, literalSubject: 'CN=a,OU=b+L=c,O=d', dnsNames: ['a.example'] }),
    );
    expect(csr.subject.text).toBe('CN=a,L=c+OU=b,O=d');
    expect(csr.commonName).toBe('a');
  });

  it.each([
    ['SHA256WithRSA', rsaKey],
    ['SHA384WithRSA', rsaKey],
    ['SHA512WithRSA', rsaKey],
    ['ECDSAWithSHA256', key],
    ['ECDSAWithSHA384', key],
    ['ECDSAWithSHA512', key],
  ] as const)('can be signed with %s', async (signatureAlgorithm, own) => {
    const csr = parseCsr(await createCsr({ key: own, dnsNames: ['a.example'], signatureAlgorithm }));
    expect(csr.dnsNames).toEqual(['a.example']);
  });

  it.each([
    ['dnsNames', { dnsNames: ['192.0.2.1'] }, 'IP addresses go into ipAddresses'],
    ['dnsNames', { dnsNames: ['a b'] }, '"a b" is not a DNS name'],
    ['ipAddresses', { ipAddresses: ['a.example'] }, '"a.example" is not an IP address'],
    ['uris', { uris: ['not absolute'] }, 'is not an absolute URI'],
    ['emailAddresses', { emailAddresses: ['Me <me@a.example>'] }, 'is not a bare e-mail address'],
    ['otherNames', { otherNames: [{ oid: 'upn', utf8Value: 'a' }] }, 'is not an object identifier'],
    ['commonName', { commonName: 'a'.repeat(65) }, 'longer than 64 bytes'],
    ['literalSubject', { literalSubject: 'CN' }, 'column 1'],
    ['usages', { usages: ['serving'] }, '"serving" is no usage'],
    [
      'nameConstraints.ipRanges',
      { isCA: true, nameConstraints: { permitted: { ipRanges: ['10.0.0.0/33'] } } },
      '10.0.0.0/33',
    ],
    ['signatureAlgorithm', { signatureAlgorithm: 'SHA256WithRSA' }, 'needs a key of algorithm RSA'],
    ['signatureAlgorithm', { signatureAlgorithm: 'MD5' as SignatureAlgorithm }, 'is unknown; use one of'],
  ] as [string, CsrSpec, string][])('with a bad %s is refused by name: %j', async (field, spec, message) => {
    const refused = createCsr({ key, ...spec });
    await expect(refused).rejects.toThrow(PkiError);
    await expect(refused).rejects.toThrow(field);
    await expect(refused).rejects.toThrow(message);
  });
});

/** The CertificationRequestInfo of a request. */
function signedPartOf(csr: string): Buffer {
  const { certificationRequestInfoRaw } = decode(
    parsePem(csr)[0]?.der ?? Buffer.alloc(0),
    CertificationRequest,
  );
  return Buffer.from(certificationRequestInfoRaw ?? new ArrayBuffer());
}

/** A request with `info` for its signed part, whatever it holds; its outer lengths have two octets. */
function signedAgain(info: Buffer): string {
  const algorithm = Buffer.from('300a06082a8648ce3d040302', 'hex');
  const signature = sign('sha256', info, key);
  const rest = Buffer.concat([info, algorithm, Buffer.of(3, signature.length + 1, 0), signature]);
  const header = Buffer.of(0x30, 0x82, rest.length >> 8, rest.length & 0xff);
  return encodePem('CERTIFICATE REQUEST', Buffer.concat([header, rest]));
}

// openssl req -new -newkey ed25519, with O=Acme, CN=a and subjectAltName=DNS:A.example,RID:1.2.3,dirName:d
const opensslCsr = `MIHWMIGJAgEAMBsxDTALBgNVBAoMBEFjbWUxCjAIBgNVBAMMAWEwKjAFBgMrZXAD
IQCZh+JSj7hsEWBTEYq8ziS8d3wQn5H7+T2PKHo+plpWkqA7MDkGCSqGSIb3DQEJ
DjEsMCowKAYDVR0RBCEwH4IJQS5leGFtcGxliAIqA6QOMAwxCjAIBgNVBAMMAXgw
BQYDK2VwA0EAqKgpFNoTBLkwrwjgAMnLyLEVibklBctiQQFVJbybzSMWG7JytbZw
YIW3S/ed5+or5DIMTwuQBTzxK2+gugAJAg==`;

describe('reading a CSR', () => {
  it('takes one that OpenSSL made, with a SAN kind Postern does not read', () => {
    const csr = parseCsr(`-----BEGIN NEW CERTIFICATE REQUEST-----
${opensslCsr}
-----END NEW CERTIFICATE REQUEST-----`);
    expect(csr.subject.text).toBe('CN=a,O=Acme');
    expect(csr.dnsNames).toEqual(['a.example']);
    expect(csr.unsupportedNames).toEqual(['registeredID', 'directoryName']);
  });

  it('refuses one whose signature does not fit', async () => {
    const [block] = parsePem(await createCsr({ key, commonName: 'aaaa', dnsNames: ['a.example'] }));
    const forged = Buffer.from(
      (block?.der ?? Buffer.alloc(0)).toString('latin1').replace('aaaa', 'bbbb'),
      'latin1',
    );
    expect(() => parseCsr(encodePem('CERTIFICATE REQUEST', forged))).toThrow('does not fit its public key');
  });

  it.each([
    ['nothing', '', 'expected one CERTIFICATE REQUEST in PEM form, found 0'],
    [
      'rubbish',
      encodePem('CERTIFICATE REQUEST', Buffer.from('rubbish')),
      'the certificate signing request is damaged',
    ],
  ])('refuses %s', (_what, pem, message) => {
    expect(() => parseCsr(pem)).toThrow(message);
  });

  it('never throws anything but PkiError, whatever was damaged', async () => {
    const [block] = parsePem(await createCsr({ ...everything, key }));
    const der = block?.der ?? Buffer.alloc(0);
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.nat(255), (at, octet) => {
        const damaged = Buffer.from(der);
        damaged[at] = octet;
        try {
          parseCsr(encodePem('CERTIFICATE REQUEST', damaged));
        } catch (error) {
          expect(error).toBeInstanceOf(PkiError);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('never throws anything but PkiError, whatever was damaged before it was signed', async () => {
    const info = signedPartOf(await createCsr({ ...everything, key }));
    fc.assert(
      fc.property(fc.nat(info.length - 1), fc.nat(255), (at, octet) => {
        const damaged = Buffer.from(info);
        damaged[at] = octet;
        try {
          parseCsr(signedAgain(damaged));
        } catch (error) {
          expect(error).toBeInstanceOf(PkiError);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('refuses a name constraint whose mask has gaps', async () => {
    const nameConstraints = { permitted: { ipRanges: ['10.0.0.0/24'] } };
    const info = signedPartOf(await createCsr({ key, dnsNames: ['a.example'], isCA: true, nameConstraints }));
    expect(parseCsr(signedAgain(info))).toMatchObject({ nameConstraints });
    const gaps = info.toString('hex').replace('0a000000ffffff00', '0a000000ff00ff00');
    expect(() => parseCsr(signedAgain(Buffer.from(gaps, 'hex')))).toThrow(
      'a name constraint that cannot be read',
    );
  });

  it('takes one that asks for nothing but a subject', async () => {
    const csr = await createCsr({ key, commonName: 'a', encodeUsagesInRequest: false });
    expect(parseCsr(csr)).toMatchObject({ commonName: 'a', usages: [], dnsNames: [] });
  });
});
