import { describe, expect, it } from 'vitest';
import { parseCertificate } from './certificate.ts';
import { type CsrSpec, createCsr, parseCsr } from './csr.ts';
import { certificateMismatch, csrMismatch } from './csr-match.ts';
import { aCertificate, anAuthority } from './pki.testing.ts';
import { generatePrivateKey } from './private-key.ts';
import { subjectName } from './subject.ts';

const key = await generatePrivateKey({ algorithm: 'ECDSA' });
const issuer = await anAuthority();
const spec: CsrSpec = {
  commonName: 'a.example',
  subject: { organizations: ['One', 'Two'], serialNumber: '1' },
  dnsNames: ['a.example', 'B.example'],
  ipAddresses: ['192.0.2.1', '2001:db8:0::1'],
  uris: ['spiffe://a/b'],
  emailAddresses: ['a@a.example'],
  otherNames: [{ oid: '1.2.3.4', utf8Value: 'a' }],
};

describe('a CSR', () => {
  it.each([
    ['fits the spec it was made from', spec, spec, []],
    [
      'fits whatever the order, the repeats and the spelling',
      spec,
      {
        ...spec,
        subject: { organizations: ['Two', 'One'], serialNumber: '1' },
        dnsNames: ['b.EXAMPLE.', 'a.example', 'a.example'],
        ipAddresses: ['2001:DB8::1', '::ffff:192.0.2.1'],
      },
      [],
    ],
    [
      'lacks a DNS name',
      spec,
      { ...spec, dnsNames: ['a.example', 'b.example', 'c.example'] },
      ['spec.dnsNames'],
    ],
    ['has a DNS name too many', spec, { ...spec, dnsNames: ['a.example'] }, ['spec.dnsNames']],
    ['has another commonName', spec, { ...spec, commonName: 'b.example' }, ['spec.commonName']],
    ['has other addresses', spec, { ...spec, ipAddresses: [] }, ['spec.ipAddresses']],
    ['has other URIs', spec, { ...spec, uris: undefined }, ['spec.uris']],
    [
      'has other e-mail addresses',
      spec,
      { ...spec, emailAddresses: ['b@a.example'] },
      ['spec.emailAddresses'],
    ],
    ['has other names of other kinds', spec, { ...spec, otherNames: [] }, ['spec.otherNames']],
    [
      'has another subject',
      spec,
      { ...spec, subject: { countries: ['NO'] } },
      ['spec.subject.organizations', 'spec.subject.countries', 'spec.subject.serialNumber'],
    ],
    ['has other usages', spec, { ...spec, usages: ['server auth'] }, ['spec.usages']],
    [
      'has the same usages by another name',
      { ...spec, usages: ['signing'] },
      { ...spec, usages: ['digital signature'] },
      [],
    ],
    ['names no usages', { ...spec, encodeUsagesInRequest: false }, { ...spec, usages: ['server auth'] }, []],
    [
      'names usages that the spec keeps out',
      spec,
      { ...spec, usages: ['any'], encodeUsagesInRequest: false },
      [],
    ],
    ['asks to be an authority', { ...spec, isCA: true }, spec, ['spec.usages', 'spec.isCA']],
    [
      'has other name constraints',
      { ...spec, nameConstraints: { permitted: { dnsDomains: ['a'] } } },
      { ...spec, nameConstraints: { permitted: { dnsDomains: ['b'] } } },
      ['spec.nameConstraints'],
    ],
    [
      'has no name constraints, nor does the spec',
      spec,
      { ...spec, nameConstraints: { critical: true } },
      [],
    ],
    [
      'fits a literal subject',
      { literalSubject: 'CN=a,OU=b+L=c', dnsNames: ['a.example'] },
      { literalSubject: 'cn=a, L=c + OU=b', dnsNames: ['a.example'] },
      [],
    ],
    [
      'does not fit a literal subject',
      { literalSubject: 'CN=a,OU=b', dnsNames: ['a.example'] },
      { literalSubject: 'OU=b,CN=a', dnsNames: ['a.example'] },
      ['spec.literalSubject'],
    ],
  ] as [string, CsrSpec, CsrSpec, string[]][])('%s', async (_what, made, wanted, fields) => {
    expect(csrMismatch(parseCsr(await createCsr({ ...made, key })), wanted)).toEqual(fields);
  });
});

describe('a certificate', () => {
  it.each([
    ['fits the spec it was made for', spec, spec, []],
    [
      'may lack a subject, usages and constraints',
      { ...spec, subject: {} },
      { ...spec, isCA: true, usages: ['any'] },
      [],
    ],
    [
      'may have a DNS name for its commonName',
      { ...spec, commonName: 'b.example' },
      { ...spec, commonName: '' },
      [],
    ],
    ['may have its commonName as a DNS name alone', { ...spec, commonName: '' }, spec, []],
    [
      'may have an address for its commonName',
      { commonName: '192.0.2.1', ipAddresses: ['192.0.2.1'] },
      { ipAddresses: ['192.0.2.1'] },
      [],
    ],
    ['may have a literal subject', { literalSubject: 'CN=A,O=b' }, { literalSubject: 'CN=A,O=b' }, []],
    ['has another commonName', { ...spec, commonName: 'c.example' }, spec, ['spec.dnsNames']],
    ['lacks a DNS name', spec, { ...spec, dnsNames: ['c.example'] }, ['spec.dnsNames']],
    ['lacks an address', spec, { ...spec, ipAddresses: ['192.0.2.2'] }, ['spec.ipAddresses']],
    ['lacks a URI', spec, { ...spec, uris: ['spiffe://c'] }, ['spec.uris']],
    ['lacks an e-mail address', spec, { ...spec, emailAddresses: [] }, ['spec.emailAddresses']],
  ] as [string, CsrSpec, CsrSpec, string[]][])('%s', async (_what, made, wanted, fields) => {
    const { dnsNames, ipAddresses, uris, emailAddresses, otherNames } = made;
    const names = { dnsNames, ipAddresses, uris, emailAddresses, otherNames };
    const { certificate } = await aCertificate({ issuer, key, ...names, subject: subjectName(made) });
    expect(certificateMismatch(parseCertificate(certificate), wanted)).toEqual(fields);
  });
});
