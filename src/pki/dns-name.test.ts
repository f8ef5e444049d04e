import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalDnsName, isDnsName } from './dns-name.ts';

describe('DNS names', () => {
  it.each([
    ['Example.COM', 'example.com'],
    ['example.com.', 'example.com'],
    ['*.example.com', '*.example.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['*.bücher.example', '*.xn--bcher-kva.example'],
    ['_acme.example.com', '_acme.example.com'],
    ['localhost', 'localhost'],
    ['1.example', '1.example'],
    [`${'a'.repeat(63)}.example`, `${'a'.repeat(63)}.example`],
    [`${'a'.repeat(64)}.example`, undefined],
    [`${'a.'.repeat(130)}example`, undefined],
    ['', undefined],
    ['.', undefined],
    ['*', undefined],
    ['*.', undefined],
    ['a.*.example', undefined],
    ['*a.example', undefined],
    ['**.example', undefined],
    ['-a.example', undefined],
    ['a-.example', undefined],
    ['a..example', undefined],
    ['a b.example', undefined],
    ['a/b', undefined],
    ['192.0.2.1', undefined],
    ['a.1', undefined],
    ['user@example.com', undefined],
    ['a\0.example', undefined],
  ])('%j is written %j', (text, expected) => {
    expect(canonicalDnsName(text)).toBe(expected);
    expect(isDnsName(text)).toBe(expected !== undefined);
  });

  it('stay as they are once canonical', () => {
    fc.assert(
      fc.property(fc.oneof(fc.domain(), fc.string({ unit: 'binary' })), text => {
        const canonical = canonicalDnsName(text);
        if (canonical !== undefined) expect(canonicalDnsName(canonical)).toBe(canonical);
      }),
    );
  });
});
