import { BlockList, isIP } from 'node:net';

function blockList(ranges: readonly (readonly [string, number, 'ipv4' | 'ipv6'])[]): BlockList {
  const list = new BlockList();
  for (const [address, prefix, family] of ranges) list.addSubnet(address, prefix, family);
  return list;
}

const loopback = blockList([
  ['127.0.0.0', 8, 'ipv4'],
  ['::1', 128, 'ipv6'],
]);

// "This host" reaches loopback on Linux; link-local has the metadata services of clouds.
const never = blockList([
  ['0.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['224.0.0.0', 4, 'ipv4'],
  ['255.255.255.255', 32, 'ipv4'],
  ['::', 128, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
]);

/** Nothing that begins like this is in a list: the addresses of most clusters, for which the lists take too long. */
const surelyAllowed = /^(?:10|172|192)\./;

/**
 * Whether an address is no place for an upstream: link-local, multicast and "this host" never are, loopback only
 * where `allowLoopback` says so. IPv4 addresses inside IPv6 ones are judged as what they are.
 */
export function isForbiddenAddress(address: string, allowLoopback: boolean): boolean {
  const version = isIP(address);
  if (version === 0) return true;
  if (surelyAllowed.test(address)) return false;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  return never.check(address, family) || (!allowLoopback && loopback.check(address, family));
}

/** The same for a name that is yet to be resolved, as far as it can be told: `localhost` and what is under it. */
export function isForbiddenHost(host: string, allowLoopback: boolean): boolean {
  if (isIP(host) !== 0) return isForbiddenAddress(host, allowLoopback);
  const name = host.toLowerCase().replace(/\.$/, '');
  return !allowLoopback && (name === 'localhost' || name.endsWith('.localhost'));
}
