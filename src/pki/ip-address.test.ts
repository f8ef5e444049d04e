import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalIp, ipOctets, ipText } from './ip-address.ts';

describe('IP addresses', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:0:0:0:1', '2001:db8:0:1::1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::', '::'],
    ['1::', '1::'],
    ['::1', '::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['fe80::1%eth0', undefined],
    ['192.0.2', undefined],
    ['192.0.2.01', undefined],
    ['[::1]', undefined],
    ['', undefined],
    ['example.com', undefined],
  ])('%s is written %s', (text, expected) => {
    expect(canonicalIp(text)).toBe(expected);
  });

  it('keep their octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), octets => {
        const text = ipText(octets) ?? '';
        const again = ipOctets(text) ?? Buffer.alloc(0);
        expect(ipText(again)).toBe(text);
        if (again.length === 16) expect([...again]).toEqual([...octets]);
      }),
    );
  });

  it('agree with the URL standard on how IPv6 is compressed', () => {
    fc.assert(
      fc.property(fc.ipV6(), text => {
        const canonical = canonicalIp(text) ?? '';
        if (canonical.includes(':')) expect(`[${canonical}]`).toBe(new URL(`http://[${text}]`).hostname);
      }),
    );
  });
});
