import { describe, expect, it } from 'vitest';
import { makeAuthority } from '../certificates.testing.ts';
import { aSecret } from './builders.testing.ts';
import { serverCertificateOf } from './server-certificate.ts';

const authority = await makeAuthority('Test CA');
const [site, other] = await Promise.all([
  authority.issue(['site.example', '*.site.example']),
  authority.issue(['other.example']),
]);
const read = (chain: string, key: string) =>
  serverCertificateOf(aSecret('site', { 'tls.crt': chain, 'tls.key': key }));
const damaged = '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n';

describe('the certificate of a Secret', () => {
  it('is served with its chain and key as they stand in the Secret', () => {
    const result = read(site.chain, site.key);
    if ('error' in result) throw new Error(result.error);
    expect(result.names).toEqual(['site.example', '*.site.example']);
    expect(result.certificate.chain).toBe(site.chain);
    expect(result.certificate.key.reveal()).toBe(site.key);
  });

  it.each([
    ['the key of another', site.chain, other.key, 'its tls.key is not the key of the first certificate'],
    ['a leaf that is none', damaged, site.key, ''],
    ['a damaged certificate behind the leaf', site.chain + damaged, site.key, ''],
    ['no certificate', 'rubbish', site.key, 'its tls.crt holds no certificate'],
  ])('is refused with %s', (_what, chain, key, error) => {
    expect(read(chain, key)).toEqual({ error: expect.stringContaining(error) });
  });
});
