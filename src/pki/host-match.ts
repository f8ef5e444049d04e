import type { AlternativeNames } from './alternative-names.ts';
import { canonicalDnsName } from './dns-name.ts';
import { canonicalIp } from './ip-address.ts';

/** Whether a DNS name of a certificate covers `host`: exactly, or as `*.` over one label (RFC 9525 section 6.3). Both canonical. */
export function dnsNameCovers(name: string, host: string): boolean {
  if (name === host) return true;
  const dot = host.indexOf('.');
  return name.startsWith('*.') && dot > 0 && host.slice(dot) === name.slice(1);
}

/**
 * Whether a certificate is for `host`: a DNS name, an IP address (with or without brackets), or a wildcard as an
 * Ingress has it, which only the same wildcard covers. The commonName does not count (RFC 9525 section 2).
 */
export function certificateCovers(
  certificate: Pick<AlternativeNames, 'dnsNames' | 'ipAddresses'>,
  host: string,
): boolean {
  const address = canonicalIp(host.replace(/^\[(.*)\]$/, '$1'));
  if (address !== undefined) return certificate.ipAddresses.includes(address);
  const name = canonicalDnsName(host);
  return name !== undefined && certificate.dnsNames.some(covering => dnsNameCovers(covering, name));
}
