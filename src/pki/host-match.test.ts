import { describe, expect, it } from 'vitest';
import { certificateCovers } from './host-match.ts';

describe('what a certificate covers', () => {
  const certificate = {
    dnsNames: ['shop.example', '*.apps.example'],
    ipAddresses: ['192.0.2.1', '2001:db8::1'],
  };
  it.each([
    ['shop.example', true],
    ['SHOP.example.', true],
    ['www.shop.example', false],
    ['a.apps.example', true],
    ['a.b.apps.example', false],
    ['apps.example', false],
    ['.apps.example', false],
    ['*.apps.example', true],
    ['*.shop.example', false],
    ['192.0.2.1', true],
    ['192.0.2.2', false],
    ['[2001:db8:0::1]', true],
    ['2001:db8::2', false],
    ['', false],
  ])('%j: %s', (host, covered) => {
    expect(certificateCovers(certificate, host)).toBe(covered);
  });
});
