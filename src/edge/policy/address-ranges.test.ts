import { describe, expect, it } from 'vitest';
import { AddressRanges, parseRange, plainAddress } from './address-ranges.ts';

describe('address ranges', () => {
  it.each<[ranges: string[], address: string, inside: boolean]>([
    [['10.0.0.0/8'], '10.255.0.1', true],
    [['10.0.0.0/8'], '11.0.0.1', false],
    [['192.0.2.1'], '192.0.2.1', true],
    [['192.0.2.1'], '192.0.2.2', false],
    [['10.0.0.0/8'], '::ffff:10.1.2.3', true],
    [['::ffff:10.0.0.1'], '10.0.0.1', true],
    [['2001:db8::/32'], '2001:db8:1::7', true],
    [['2001:db8::/32'], '2001:db9::1', false],
    [['fe80::/10'], 'fe80::1%eth0', true],
    [['10.0.0.0/8'], '::ffff:a01:203', true],
    [['10.0.0.0/8'], '0:0:0:0:0:ffff:a01:203', true],
    [['0.0.0.0/0'], '2001:db8::1', false],
    [['0.0.0.0/0', '::/0'], '2001:db8::1', true],
    [[], '10.0.0.1', false],
    [['nonsense'], '10.0.0.1', false],
    [['10.0.0.0/8'], 'unix', false],
  ])('%j has %s: %s', (ranges, address, inside) => {
    expect(new AddressRanges(ranges).has(address)).toBe(inside);
  });

  it.each([
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['::ffff:0:1', '0.0.0.1'],
    ['::ffff:1', '::ffff:1'],
    ['fe80::1%eth0', 'fe80::1'],
  ])('%s is compared as %s', (address, plain) => {
    expect(plainAddress(address)).toBe(plain);
  });

  it.each([
    '10.0.0.0/33',
    '10.0.0/8',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    'foo.com',
    '',
    '::/129',
    '::ffff:10.0.0.0/104',
    '10.0.0.0/-1',
  ])('%j is none', text => {
    expect(parseRange(text)).toBeUndefined();
  });
});
