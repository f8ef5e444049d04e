import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseCertificate } from './certificate.ts';
import {
  canonicalUsages,
  defaultUsages,
  effectiveUsages,
  type KeyUsageName,
  keyUsageNames,
} from './key-usage.ts';
import { anAuthority } from './pki.testing.ts';

const bits = [
  'digital signature',
  'content commitment',
  'key encipherment',
  'data encipherment',
  'key agreement',
  'cert sign',
  'crl sign',
  'encipher only',
  'decipher only',
];

describe('key usages', () => {
  it.each(keyUsageNames)('"%s" stands in a certificate that asks for it alone', async usage => {
    const { certificate } = await anAuthority({
      usages: [usage],
      isCA: false,
      keySpec: { algorithm: 'RSA' },
    });
    expect(parseCertificate(certificate).usages).toEqual(canonicalUsages([usage]));
  });

  it('stand in a certificate all together', async () => {
    const { certificate } = await anAuthority({ usages: keyUsageNames, keySpec: { algorithm: 'RSA' } });
    const expected = new Set<KeyUsageName>(canonicalUsages(keyUsageNames));
    expect(new Set(parseCertificate(certificate).usages)).toEqual(expected);
  });

  it('with an extended purpose are those that OpenSSL reads', async () => {
    const extended = canonicalUsages(keyUsageNames).filter(usage => !bits.includes(usage));
    const { certificate } = await anAuthority({ usages: extended, isCA: false });
    expect(new X509Certificate(certificate).keyUsage).toEqual([
      '2.5.29.37.0',
      ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map(purpose => `1.3.6.1.5.5.7.3.${purpose}`),
      '1.3.6.1.4.1.311.10.3.3',
      '2.16.840.1.113730.4.1',
    ]);
  });

  it('do not let a key encipher that is not RSA', async () => {
    const { certificate } = await anAuthority({ isCA: false, keySpec: { algorithm: 'ECDSA' } });
    expect(parseCertificate(certificate).usages).toEqual(['digital signature']);
  });

  it.each([
    [undefined, false, defaultUsages],
    [[], false, defaultUsages],
    [[], true, [...defaultUsages, 'cert sign']],
    [['signing', 'digital signature'], false, ['digital signature']],
    [['s/mime', 'email protection'], false, ['email protection']],
    [['cert sign'], true, ['cert sign']],
  ])('%j with isCA %s become %j', (usages, isCA, expected) => {
    expect(effectiveUsages(usages, isCA)).toEqual(expected);
  });

  it.each(['server-auth', 'toString', ''])('%j is none, and the message lists what is', usage => {
    expect(() => canonicalUsages([usage])).toThrow(/is no usage; use one of signing, .*netscape sgc/);
  });
});
