import { isIPv4, isIPv6 } from 'node:net';
import { AsnIpConverter } from '@peculiar/asn1-x509';
import { OctetString } from 'asn1js';

/**
 * An IP address in its one canonical form, to compare and to store: IPv6 as RFC 5952 writes it, and an IPv4-mapped
 * one (`::ffff:192.0.2.1`) as IPv4, as it names the same host. Undefined where `text` is no address; zones
 * (`fe80::1%eth0`) are none.
 */
export function canonicalIp(text: string): string | undefined {
  if (isIPv4(text)) return text;
  if (!isIPv6(text) || text.includes('%')) return undefined;
  // The URL standard compresses as RFC 5952 does, and writes all of the address in hex.
  const canonical = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([\da-f]+):([\da-f]+)$/.exec(canonical)?.slice(1);
  return (
    mapped?.flatMap(group => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]).join('.') ?? canonical
  );
}

/** The octets of an IP address: 4, also for an IPv4-mapped one, or 16. Undefined where `text` is no address. */
export function ipOctets(text: string): Buffer | undefined {
  const canonical = canonicalIp(text);
  if (canonical === undefined) return undefined;
  // What follows the two octets that say "an OCTET STRING of this length".
  return Buffer.from(AsnIpConverter.toASN(canonical).toBER()).subarray(2);
}

/** The canonical text of 4 or 16 octets; undefined for any other number of octets. */
export function ipText(octets: Uint8Array): string | undefined {
  return canonicalIp(AsnIpConverter.fromASN(new OctetString({ valueHex: octets })));
}
