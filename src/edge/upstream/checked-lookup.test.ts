import type { LookupAddress } from 'node:dns';
import { describe, expect, it } from 'vitest';
import { checkedLookup } from './checked-lookup.ts';
import { failureOf } from './failure.ts';
import { isForbiddenAddress } from './forbidden-address.ts';

/** A resolver that knows one answer. */
function resolving(...addresses: string[]): Parameters<typeof checkedLookup>[1] {
  const answer: LookupAddress[] = addresses.map(address => ({
    address,
    family: address.includes(':') ? 6 : 4,
  }));
  return ((_name: string, _options: object, callback: (error: null, found: LookupAddress[]) => void) =>
    callback(null, answer)) as unknown as Parameters<typeof checkedLookup>[1];
}

function lookUp(allowLoopback: boolean, all: boolean, ...addresses: string[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    checkedLookup(allowLoopback, resolving(...addresses))('name.example', { all }, (error, found) =>
      error === null ? resolve(found) : reject(error),
    );
  });
}

describe('statement 12: the resolved address counts', () => {
  it('leaves refused addresses out', async () => {
    expect(await lookUp(false, false, '127.0.0.1', '192.0.2.1')).toBe('192.0.2.1');
    expect(await lookUp(false, true, '::1', '192.0.2.1')).toEqual([{ address: '192.0.2.1', family: 4 }]);
  });

  it('fails where none is left, with 503', async () => {
    const error = await lookUp(false, true, '127.0.0.1', '169.254.169.254').then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    expect(error && failureOf(error).status).toBe(503);
  });

  it('lets loopback through where it is allowed', async () => {
    expect(await lookUp(true, false, '127.0.0.1')).toBe('127.0.0.1');
    await expect(lookUp(true, false, '169.254.169.254')).rejects.toThrow('refused');
  });

  it.each([
    ['10.0.0.1', false],
    ['127.8.9.1', true],
    ['::ffff:127.0.0.1', true],
    ['fe80::1', true],
    ['0.0.0.0', true],
    ['224.0.0.1', true],
    ['2001:db8::1', false],
    ['not an address', true],
  ])('%s is refused: %s', (address, refused) => {
    expect(isForbiddenAddress(address, false)).toBe(refused);
  });
});
