import type { Certificate } from '../../api/cert-manager/certificate.ts';
import { controllerOf } from '../../api/meta.ts';
import { quoted } from '../../issuers/sentence.ts';
import { canonicalDnsName } from '../../pki/dns-name.ts';
import { certificateCovers } from '../../pki/host-match.ts';
import { canonicalIp } from '../../pki/ip-address.ts';

/**
 * What is in the way where the Certificate of an entry of spec.tls is not the Ingress's: it is never touched. Nothing
 * where it is for all the hosts of the entry.
 */
export function othersCertificateProblems(
  current: Certificate,
  hosts: readonly string[],
  index: number,
): string[] {
  const { dnsNames = [], ipAddresses = [] } = current.spec;
  const names = {
    dnsNames: dnsNames.flatMap(name => canonicalDnsName(name) ?? []),
    ipAddresses: ipAddresses.flatMap(address => canonicalIp(address) ?? []),
  };
  const missing = hosts.filter(host => !certificateCovers(names, host));
  if (missing.length === 0) return [];
  const owner = controllerOf(current);
  const whose =
    owner === undefined ? 'is not made from an Ingress' : `is of ${owner.kind} ${quoted(owner.name)}`;
  return [
    `spec.tls[${index}].secretName ${quoted(current.metadata.name)} is that of a Certificate which ${whose} and is not for ${missing.slice(0, 5).join(', ')}; name another Secret, or have its owner add them`,
  ];
}
