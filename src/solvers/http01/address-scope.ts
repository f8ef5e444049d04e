import { BlockList, isIPv6 } from 'node:net';

const never = new BlockList();
never.addSubnet('0.0.0.0', 8);
never.addSubnet('169.254.0.0', 16); // link-local, with the metadata services of clouds
never.addSubnet('224.0.0.0', 3); // multicast, reserved, broadcast
never.addAddress('::', 'ipv6');
never.addSubnet('fe80::', 10, 'ipv6');
never.addSubnet('ff00::', 8, 'ipv6');
never.addAddress('fd00:ec2::254', 'ipv6'); // metadata service of AWS

const local = new BlockList();
local.addSubnet('10.0.0.0', 8);
local.addSubnet('100.64.0.0', 10); // carrier-grade NAT; some clusters' pods
local.addSubnet('127.0.0.0', 8);
local.addSubnet('172.16.0.0', 12);
local.addSubnet('192.0.0.0', 24);
local.addSubnet('192.168.0.0', 16);
local.addSubnet('198.18.0.0', 15);
local.addAddress('::1', 'ipv6');
local.addSubnet('fc00::', 7, 'ipv6');
// Ways to write an IPv4 address in IPv6.
local.addSubnet('64:ff9b::', 96, 'ipv6');
local.addSubnet('2002::', 16, 'ipv6');

/**
 * How far an address reaches. `never`: no site is there (unspecified, link-local, multicast). `local`: this machine or
 * a private network. `global`: the internet. IPv4 in IPv6 counts as what it is in IPv4.
 */
export type AddressScope = 'never' | 'local' | 'global';

export function scopeOf(address: string): AddressScope {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  // BlockList compares ::ffff:a.b.c.d with the IPv4 rules by itself.
  if (never.check(address, family)) return 'never';
  return local.check(address, family) ? 'local' : 'global';
}
