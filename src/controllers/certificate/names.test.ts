import { describe, expect, it } from 'vitest';
import { nextKeyNameFor, requestNameFor } from './names.ts';
import { aCertificate } from './state.testing.ts';

const dnsSubdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

describe('the name of a request', () => {
  it('is the name of the Certificate and the revision', () => {
    expect(requestNameFor('site', 12)).toBe('site-12');
  });

  it.each(['a'.repeat(233), `${'a'.repeat(167)}.${'b'.repeat(80)}`, `${'a'.repeat(167)}-${'b'.repeat(80)}`])(
    'is cut where it would be too long, and is another for another Certificate: %s',
    long => {
      const name = requestNameFor(long, 1);
      expect(name.length).toBeLessThanOrEqual(233);
      expect(name).toMatch(dnsSubdomain);
      expect(name.startsWith(long.slice(0, 167))).toBe(true);
      expect(requestNameFor(`${long}x`, 1)).not.toBe(name);
      expect(requestNameFor(long, 2)).not.toBe(name);
    },
  );
});

it('a name that fits is not cut, and of a longer one 168 characters stay', () => {
  const longest = 'a'.repeat(231);
  expect(requestNameFor(longest, 1)).toBe(`${longest}-1`);
  expect(requestNameFor(`${longest}a`, 1)).toMatch(/^a{168}-[0-9a-f]{10}-1$/);
});

describe('the name of the next private key', () => {
  it('is the same for the same try, and another for every other', () => {
    const name = nextKeyNameFor(aCertificate());
    expect(nextKeyNameFor(aCertificate())).toBe(name);
    expect(nextKeyNameFor(aCertificate({}, { failedIssuanceAttempts: 1 }))).not.toBe(name);
    expect(nextKeyNameFor(aCertificate({}, { revision: 1 }))).not.toBe(name);
    const again = aCertificate();
    expect(nextKeyNameFor({ ...again, metadata: { ...again.metadata, uid: 'another' } })).not.toBe(name);
  });

  it('fits, however long the Certificate is called', () => {
    const certificate = aCertificate();
    const long = {
      ...certificate,
      metadata: { ...certificate.metadata, name: `${'a'.repeat(239)}.${'b'.repeat(13)}` },
    };
    expect(nextKeyNameFor(long).length).toBeLessThanOrEqual(253);
    expect(nextKeyNameFor(long)).toMatch(dnsSubdomain);
  });
});
