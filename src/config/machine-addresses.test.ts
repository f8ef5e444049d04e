import { expect, it } from 'vitest';
import { machineAddresses } from './machine-addresses.ts';

const common = { netmask: '', mac: '', cidr: null };
const v4 = (address: string, internal = false) => ({ ...common, address, internal, family: 'IPv4' as const });
const v6 = (address: string, internal = false) => ({
  ...common,
  address,
  internal,
  family: 'IPv6' as const,
  scopeid: 0,
});

it('the addresses of a machine leave out loopback and link-local ones, and have IPv4 first', () => {
  const interfaces = {
    lo: [v4('127.0.0.1', true), v6('::1', true)],
    eth0: [v6('2001:db8::7'), v6('fe80::1'), v4('192.0.2.7')],
    eth1: [v4('169.254.3.4')],
  };
  expect(machineAddresses(interfaces)).toEqual(['192.0.2.7', '2001:db8::7']);
});
