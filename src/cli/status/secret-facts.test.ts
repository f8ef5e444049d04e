import { beforeAll, describe, expect, it } from 'vitest';
import { aCertificate, anAuthority, type TestCertificate } from '../../pki/pki.testing.ts';
import { encodePrivateKey } from '../../pki/private-key.ts';
import { secretFactsOf } from './secret-facts.ts';

const validity = { notBeforeMs: Date.UTC(2026, 0, 1), notAfterMs: Date.UTC(2026, 3, 1, 12, 30) };
let authority: TestCertificate;
let site: TestCertificate;
let other: TestCertificate;

beforeAll(async () => {
  authority = await anAuthority(validity);
  site = await aCertificate({ issuer: authority, ...validity });
  other = await aCertificate({ issuer: authority, ...validity });
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function aSecret(entries: Record<string, string>) {
  return {
    metadata: { name: 'site-tls' },
    data: Object.fromEntries(Object.entries(entries).map(([k, v]) => [k, base64(v)])),
  };
}

describe('a TLS Secret', () => {
  it('is usable with a chain and its key, and lasts as long as its leaf', () => {
    const chain = site.certificate + authority.certificate;
    const secret = aSecret({ 'tls.crt': chain, 'tls.key': encodePrivateKey(site.key) });
    expect(secretFactsOf('site-tls', secret)).toEqual({
      name: 'site-tls',
      state: 'usable',
      isSelfSigned: false,
      dnsNames: ['site.example'],
      ipAddresses: [],
      ...validity,
    });
  });

  it('is known to be self-signed', () => {
    const secret = aSecret({ 'tls.crt': authority.certificate, 'tls.key': encodePrivateKey(authority.key) });
    expect(secretFactsOf('site-tls', secret)).toMatchObject({ state: 'usable', isSelfSigned: true });
  });

  it.each<[string, () => Record<string, string>, string]>([
    ['nothing', () => ({}), 'has no tls.crt'],
    ['no key', () => ({ 'tls.crt': site.certificate }), 'has no tls.key'],
    [
      'no certificate',
      () => ({ 'tls.crt': 'nonsense', 'tls.key': encodePrivateKey(site.key) }),
      'has a tls.crt that is no certificate in PEM',
    ],
    [
      'a key that does not parse',
      () => ({ 'tls.crt': site.certificate, 'tls.key': 'nonsense' }),
      'has a tls.key that is no private key in PEM',
    ],
    [
      'the key of another',
      () => ({ 'tls.crt': site.certificate, 'tls.key': encodePrivateKey(other.key) }),
      'has a tls.key that is not the key of its certificate',
    ],
  ])('with %s is damaged', (_, entries, problem) => {
    expect(secretFactsOf('site-tls', aSecret(entries()))).toEqual({
      name: 'site-tls',
      state: 'damaged',
      problem,
    });
  });
});
