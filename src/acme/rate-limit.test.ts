import { describe, expect, it } from 'vitest';
import { isAboutNames } from './rate-limit.ts';

const names = ['www.shop.example.com', '203.0.113.9'];
const told = (detail: string, ...identifiers: (string | undefined)[]) => ({
  type: 'rateLimited',
  detail,
  status: 429,
  subproblems: identifiers.map(identifier => ({ identifier, type: 'rateLimited', detail: '' })),
});

describe('a rate limit', () => {
  it.each([
    'too many certificates (50) already issued for "example.com" in the last 168h0m0s, retry after 2026-01-02 15:04:05 UTC',
    'too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s',
    'too many failed authorizations (5) for "www.shop.example.com" in the last 1h0m0s',
    'too many failed authorizations (5) for 203.0.113.9.',
    'Too many certificates for SHOP.EXAMPLE.COM: see https://letsencrypt.org/docs/rate-limits/',
  ])('is about the names alone that says %s', detail => {
    expect(isAboutNames(told(detail), names)).toBe(true);
  });

  it.each([
    'too many new orders (300) from this account in the last 3h0m0s, retry after 2026-01-02 15:04:05 UTC: see https://example.com/limits',
    'Service busy; retry later.',
    'too many certificates for "other-example.com"',
    'too many .com orders',
    '',
  ])('is about the account that says %j', detail => {
    expect(isAboutNames(told(detail), names)).toBe(false);
  });

  it.each([
    ['one name', ['www.shop.example.com'], true],
    ['all names', ['www.shop.example.com', '203.0.113.9'], true],
    ['a name in another spelling', ['WWW.Shop.Example.com.'], true],
    ['the domain of a name', ['example.com'], true],
    ['a name that was not asked for', ['victim.example.org'], false],
    ['a name of ours and one that is not', ['example.com', 'example.org'], false],
    ['nobody', [undefined], false],
    ['a name of ours and nobody', ['example.com', undefined], false],
  ])('in words that nobody knows is about what its subproblems name: %s', (_what, identifiers, expected) => {
    expect(isAboutNames(told('Kontingent erschöpft', ...identifiers), names)).toBe(expected);
  });

  it('is about the account where nothing is said, or no names are known', () => {
    expect(isAboutNames(undefined, names)).toBe(false);
    expect(isAboutNames(told('for "example.com"'), [])).toBe(false);
  });
});
