import { describe, expect, it } from 'vitest';
import * as syntax from './syntax.ts';

describe('syntax', () => {
  it.each<[string, (text: string) => boolean, readonly string[], readonly string[]]>([
    [
      'DNS subdomains',
      syntax.isDnsSubdomain,
      ['a', 'a.b-c.1'],
      ['', 'A', 'a_b', '-a', 'a..b', 'a.', 'a'.repeat(254)],
    ],
    ['wildcards', syntax.isWildcardDnsSubdomain, ['*.a', '*.a.b'], ['*', '*a.b', 'a.*.b', '*.*.a']],
    ['DNS labels', syntax.isDnsLabel, ['a', '0-a'], ['a.b', '', 'a'.repeat(64)]],
    ['Service names', syntax.isDns1035Label, ['a-0'], ['0a', 'a-']],
    ['keys', syntax.isQualifiedName, ['a', 'A.b_c', 'a.b/C'], ['', '/a', 'a/', 'a/b/c', 'A.b/c', '-a']],
    ['label values', syntax.isLabelValue, ['', 'A_b.c'], ['a b', '-a', 'a'.repeat(64)]],
    ['port names', syntax.isPortName, ['https', '0a', 'a-b'], ['', '80', 'a--b', '-a', 'A', 'a'.repeat(16)]],
    [
      'IP addresses',
      syntax.isIpAddress,
      ['192.0.2.1', '::1', '::ffff:192.0.2.1'],
      ['', '1.2.3', '1.2.3.04', 'fe80::1%eth0'],
    ],
    [
      'names in certificates',
      syntax.isCertificateDnsName,
      ['a', '*.a', 'A.b', '_a._b.c', 'a.b.', 'ü.example', 'xn--tda.example'],
      ['', '*', 'a.*', '*.*.a', 'a..b', '-a.b', '192.0.2.1', 'a b', `${'a'.repeat(64)}.b`],
    ],
    [
      'email addresses',
      syntax.isEmailAddress,
      ['a@b', 'a.b+c@d-e.f'],
      ['', 'a', '@b', 'a@', 'a b@c', 'A <a@b>', 'a@b\n'],
    ],
    [
      'URIs',
      syntax.isUri,
      ['spiffe://a/b', 'urn:a', 'https://a/?b#c'],
      ['', '/a', 'a b:c', '//a', 'https://a b'],
    ],
    ['base64', syntax.isBase64, ['', 'YQ==', 'YWI=', 'YW\nJj'], ['YQ', 'YQ=', '!', 'YQ==YQ==']],
    ['object identifiers', syntax.isObjectIdentifier, ['1.2', '2.25.0'], ['', '1', '3.1', '1.02', '1..2']],
  ])('knows %s', (_name, fits, good, bad) => {
    expect(good.filter(text => !fits(text))).toEqual([]);
    expect(bad.filter(text => fits(text))).toEqual([]);
  });

  it('knows ports', () => {
    expect([1, 80, 65_535].every(syntax.isPortNumber)).toBe(true);
    expect([0, -1, 1.5, 65_536, Number.NaN].some(syntax.isPortNumber)).toBe(false);
  });
});
