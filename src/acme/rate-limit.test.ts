import { describe, expect, it } from 'vitest';
import { isAboutNames } from './rate-limit.ts';

const names = ['www.shop.example.com', '203.0.113.9'];
const told = (detail: string, identifier?: string) => ({
  type: 'rateLimited',
  detail,
  status: 429,
  subproblems: identifier === undefined ? [] : [{ identifier, type: 'rateLimited', detail: '' }],
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

  it('is about the names where it says so by a subproblem', () => {
    expect(isAboutNames(told('', 'www.shop.example.com'), names)).toBe(true);
  });

  it('is about the account where nothing is said, or no names are known', () => {
    expect(isAboutNames(undefined, names)).toBe(false);
    expect(isAboutNames(told('for "example.com"'), [])).toBe(false);
  });
});
