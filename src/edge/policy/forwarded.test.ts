import { describe, expect, it } from 'vitest';
import { AddressRanges } from './address-ranges.ts';
import { appendForwarded, clientOrigin, clientScheme } from './forwarded.ts';
import { aHead, type HeadOptions } from './heads.testing.ts';

const trusted = new AddressRanges(['10.0.0.0/8', '2001:db8:1::/48']);

function told(options: HeadOptions, standard = false): Record<string, string> {
  const list: string[] = [];
  appendForwarded(list, aHead(options), trusted, standard);
  const pairs = list.flatMap((name, index) => (index % 2 === 0 ? [[name, list[index + 1] ?? '']] : []));
  return Object.fromEntries(pairs);
}

const proxy = { from: '10.0.0.1', trusted: true } as const;

describe('what upstreams are told of the client', () => {
  it('of an untrusted peer: what the connection shows, whatever it says', () => {
    const fields = [
      'X-Forwarded-For',
      '1.1.1.1',
      'X-Forwarded-Proto',
      'http',
      'X-Forwarded-Host',
      'evil.com',
    ];
    expect(told({ fields, host: 'foo.com:8443', publicPort: 8443 }, true)).toEqual({
      'X-Real-IP': '192.0.2.1',
      'X-Forwarded-For': '192.0.2.1',
      'X-Forwarded-Host': 'foo.com:8443',
      'X-Forwarded-Port': '8443',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Scheme': 'https',
      Forwarded: 'for=192.0.2.1;host="foo.com:8443";proto=https',
    });
  });

  it('of a trusted peer: its word, with the peer at the end of the chain', () => {
    const fields = [
      'X-Forwarded-For',
      '203.0.113.7',
      'x-forwarded-for',
      '10.0.0.9',
      'X-Forwarded-Proto',
      'HTTPS',
      'X-Forwarded-Host',
      'shop.com',
      'X-Forwarded-Port',
      '443',
      'Forwarded',
      'for=203.0.113.7',
    ];
    expect(told({ ...proxy, fields, secure: false }, true)).toEqual({
      'X-Real-IP': '203.0.113.7',
      'X-Forwarded-For': '203.0.113.7, 10.0.0.9, 10.0.0.1',
      'X-Forwarded-Host': 'shop.com',
      'X-Forwarded-Port': '443',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Scheme': 'https',
      Forwarded: 'for=203.0.113.7, for=10.0.0.1;host=foo.com;proto=http',
    });
  });

  it('words of a trusted peer that are none are not passed on', () => {
    const fields = ['X-Forwarded-Proto', 'gopher', 'X-Forwarded-Host', 'a b', 'X-Forwarded-Port', 'many'];
    expect(told({ ...proxy, fields })).toMatchObject({
      'X-Forwarded-For': '10.0.0.1',
      'X-Forwarded-Host': 'foo.com',
      'X-Forwarded-Port': '443',
      'X-Forwarded-Proto': 'https',
    });
  });

  it('an IPv6 address stands in brackets in Forwarded', () => {
    expect(told({ from: '2001:db8::1', host: '' }, true)['Forwarded']).toBe(
      'for="[2001:db8::1]";proto=https',
    );
  });
});

describe('the client behind proxies', () => {
  it.each<[chain: string, client: string]>([
    ['203.0.113.7', '203.0.113.7'],
    ['1.1.1.1, 203.0.113.7', '203.0.113.7'],
    ['1.1.1.1, 203.0.113.7, 10.0.0.2', '203.0.113.7'],
    ['10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['203.0.113.7:4711', '203.0.113.7'],
    ['[2001:db8::7]:4711', '2001:db8::7'],
    ['203.0.113.7, unknown', '10.0.0.1'],
    ['203.0.113.7, unknown, 10.0.0.2', '10.0.0.2'],
    ['', '10.0.0.1'],
  ])('of the chain %j is %s', (chain, client) => {
    const head = aHead({ ...proxy, fields: chain === '' ? [] : ['X-Forwarded-For', chain] });
    expect(clientOrigin(head, trusted).address).toBe(client);
  });

  it('an untrusted peer is the client', () => {
    const fields = ['X-Forwarded-For', '1.1.1.1', 'X-Forwarded-Proto', 'https'];
    const head = aHead({ fields, secure: false });
    expect(clientOrigin(head, trusted)).toEqual({ address: '192.0.2.1', scheme: 'http' });
    expect(clientScheme(head)).toBe('http');
  });
});
