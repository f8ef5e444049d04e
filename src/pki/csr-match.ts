import type { AlternativeNames, OtherName } from './alternative-names.ts';
import type { CertificateInfo } from './certificate.ts';
import type { CsrInfo, CsrSpec } from './csr.ts';
import type { DistinguishedName } from './distinguished-name.ts';
import { canonicalDnsName } from './dns-name.ts';
import { canonicalIp } from './ip-address.ts';
import { canonicalUsages, effectiveUsages } from './key-usage.ts';
import { encodeNameConstraints, type NameConstraints } from './name-constraints.ts';
import { commonNameOf, subjectFields, subjectName } from './subject.ts';

const dns = (name: string): string => canonicalDnsName(name) ?? name.toLowerCase();
const ip = (address: string): string => canonicalIp(address) ?? address;
const other = ({ oid, utf8Value }: OtherName): string => `${oid}=${utf8Value}`;

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  const left = new Set(a);
  const right = new Set(b);
  return left.size === right.size && [...left].every(each => right.has(each));
}

/** The alternative names other than DNS names, which the two comparisons treat alike. */
function otherNameDifferences(found: AlternativeNames, wanted: CsrSpec): string[] {
  const differs: [field: string, same: boolean][] = [
    ['spec.ipAddresses', sameSet(found.ipAddresses.map(ip), (wanted.ipAddresses ?? []).map(ip))],
    ['spec.uris', sameSet(found.uris, wanted.uris ?? [])],
    ['spec.emailAddresses', sameSet(found.emailAddresses, wanted.emailAddresses ?? [])],
    ['spec.otherNames', sameSet(found.otherNames.map(other), (wanted.otherNames ?? []).map(other))],
  ];
  return differs.flatMap(([field, same]) => (same ? [] : [field]));
}

/**
 * The fields of a Certificate's spec that a request does not fit, as `spec.dnsNames`; empty where it fits.
 * Order and repeats do not count, nor the letter case of DNS names, nor how an IP address is written.
 * Usages count only where the request names some; `isCA` only where the request asks for it, since requests made by
 * cert-manager leave it to the CertificateRequest. Throws PKI_NAME_INVALID where the spec's subject is none.
 */
export function csrMismatch(csr: CsrInfo, wanted: CsrSpec): string[] {
  const differences = [
    ...subjectDifferences(csr, wanted),
    ...(sameSet(csr.dnsNames.map(dns), (wanted.dnsNames ?? []).map(dns)) ? [] : ['spec.dnsNames']),
    ...otherNameDifferences(csr, wanted),
  ];
  const isCA = wanted.isCA === true;
  const comparesUsages = csr.usages.length > 0 && wanted.encodeUsagesInRequest !== false;
  if (comparesUsages && !sameSet(canonicalUsages(csr.usages), effectiveUsages(wanted.usages, isCA))) {
    differences.push('spec.usages');
  }
  if (csr.isCA && !isCA) differences.push('spec.isCA');
  if (!sameConstraints(csr.nameConstraints, wanted.nameConstraints)) differences.push('spec.nameConstraints');
  return differences;
}

function subjectDifferences(csr: CsrInfo, wanted: CsrSpec): string[] {
  const name = subjectName(wanted);
  if (wanted.literalSubject !== undefined && wanted.literalSubject !== '') {
    return comparable(name) === comparable(csr.subject) ? [] : ['spec.literalSubject'];
  }
  const found = subjectFields(csr.subject);
  const asked = subjectFields(name);
  const differences = (csr.commonName ?? '') === (wanted.commonName ?? '') ? [] : ['spec.commonName'];
  for (const field of subjectLists) {
    if (!sameSet(found[field], asked[field])) differences.push(`spec.subject.${field}`);
  }
  if ((found.serialNumber ?? '') !== (asked.serialNumber ?? ''))
    differences.push('spec.subject.serialNumber');
  return differences;
}

/** A name for comparison: other writers need not put the members of a relative name in DER's order. */
function comparable(name: DistinguishedName): string {
  return JSON.stringify(name.rdns.map(rdn => rdn.map(({ oid, value }) => `${oid}=${value}`).toSorted()));
}

const subjectLists = [
  'organizations',
  'countries',
  'organizationalUnits',
  'localities',
  'provinces',
  'streetAddresses',
  'postalCodes',
] as const;

function sameConstraints(a: NameConstraints | undefined, b: NameConstraints | undefined): boolean {
  const encoded = (constraints: NameConstraints | undefined): string => {
    const der = constraints === undefined ? undefined : encodeNameConstraints(constraints);
    return der === undefined ? '' : `${constraints?.critical === true} ${der.toString('hex')}`;
  };
  return encoded(a) === encoded(b);
}

/**
 * The fields of a Certificate's spec that an issued certificate does not fit; empty where it fits. Looser than
 * `csrMismatch`: an authority may turn a DNS name into the commonName, or the commonName into a DNS name,
 * and may leave out the rest of the subject, usages and constraints.
 */
export function certificateMismatch(certificate: CertificateInfo, wanted: CsrSpec): string[] {
  const wantedIps = new Set((wanted.ipAddresses ?? []).map(ip));
  const wantedName = commonNameOf(subjectName(wanted));
  const names = (list: readonly string[], commonName: string | undefined): string[] =>
    commonName === undefined || commonName === '' || wantedIps.has(ip(commonName))
      ? list.map(dns)
      : [...list, commonName].map(dns);
  const same = sameSet(
    names(certificate.dnsNames, certificate.commonName),
    names(wanted.dnsNames ?? [], wantedName),
  );
  return [...(same ? [] : ['spec.dnsNames']), ...otherNameDifferences(certificate, wanted)];
}
