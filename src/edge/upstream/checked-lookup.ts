import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isForbiddenAddress } from './forbidden-address.ts';

const forbiddenAddressCode = 'EDGE_ADDRESS_FORBIDDEN';

/** Whether an error says that all the addresses of a name are refused. */
export function isForbiddenAddressError(error: Error & { code?: unknown }): boolean {
  return error.code === forbiddenAddressCode;
}

/**
 * A look-up for connections to names: addresses that an upstream must not have are left out, by what the name
 * resolves to now, so that a changed DNS record cannot lead inside (edge.md, statement 12).
 */
export function checkedLookup(
  allowLoopback: boolean,
  resolve: typeof systemLookup = systemLookup,
): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '', 0);
      const allowed = addresses.filter(({ address }) => !isForbiddenAddress(address, allowLoopback));
      const [first] = allowed;
      if (first === undefined) {
        const refusal = new Error(
          `${hostname} resolves to loopback or link-local addresses only, which are refused`,
        );
        return callback(Object.assign(refusal, { code: forbiddenAddressCode }), '', 0);
      }
      if (options.all === true) return callback(null, allowed);
      return callback(null, first.address, first.family);
    });
  };
}
