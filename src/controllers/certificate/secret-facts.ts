import {
  altNamesAnnotation,
  certificateNameAnnotation,
  commonNameAnnotation,
  emailSansAnnotation,
  ipSansAnnotation,
  issuerGroupAnnotation,
  issuerKindAnnotation,
  issuerNameAnnotation,
  subjectCountriesAnnotation,
  subjectLocalitiesAnnotation,
  subjectOrganizationalUnitsAnnotation,
  subjectOrganizationsAnnotation,
  subjectPostalCodesAnnotation,
  subjectProvincesAnnotation,
  subjectSerialNumberAnnotation,
  subjectStreetAddressesAnnotation,
  uriSansAnnotation,
} from '../../api/annotations.ts';
import type { Certificate } from '../../api/cert-manager/certificate.ts';
import type { FullIssuerRef } from '../../api/cert-manager/issuer-ref.ts';
import type { CertificateInfo } from '../../pki/certificate.ts';
import { subjectFields } from '../../pki/subject.ts';

/** Annotations that a Secret has only where there is something to say. */
export const optionalFacts: readonly string[] = [
  emailSansAnnotation,
  subjectOrganizationsAnnotation,
  subjectOrganizationalUnitsAnnotation,
  subjectCountriesAnnotation,
  subjectProvincesAnnotation,
  subjectLocalitiesAnnotation,
  subjectStreetAddressesAnnotation,
  subjectPostalCodesAnnotation,
  subjectSerialNumberAnnotation,
];

/** Annotations of a Secret that say which Certificate and issuer it is of, and what names the certificate in it has. */
export function secretFacts(
  certificate: Certificate,
  leaf: CertificateInfo,
  issuer: FullIssuerRef,
): Record<string, string> {
  const optional = [[emailSansAnnotation, csv(leaf.emailAddresses)], ...subjectFacts(leaf)];
  return {
    [certificateNameAnnotation]: certificate.metadata.name ?? '',
    [issuerNameAnnotation]: issuer.name,
    [issuerKindAnnotation]: issuer.kind,
    [issuerGroupAnnotation]: issuer.group,
    [commonNameAnnotation]: leaf.commonName ?? '',
    [altNamesAnnotation]: csv(leaf.dnsNames),
    [ipSansAnnotation]: csv(leaf.ipAddresses),
    [uriSansAnnotation]: csv(leaf.uris),
    ...Object.fromEntries(optional.filter(([, value]) => value !== '')),
  };
}

function subjectFacts(leaf: CertificateInfo): [name: string, value: string][] {
  if (leaf.hasPlainSubject) return [];
  const subject = subjectFields(leaf.subject);
  return [
    [subjectOrganizationsAnnotation, csv(subject.organizations)],
    [subjectOrganizationalUnitsAnnotation, csv(subject.organizationalUnits)],
    [subjectCountriesAnnotation, csv(subject.countries)],
    [subjectProvincesAnnotation, csv(subject.provinces)],
    [subjectLocalitiesAnnotation, csv(subject.localities)],
    [subjectStreetAddressesAnnotation, csv(subject.streetAddresses)],
    [subjectPostalCodesAnnotation, csv(subject.postalCodes)],
    [subjectSerialNumberAnnotation, subject.serialNumber ?? ''],
  ];
}

/** One line of CSV (RFC 4180), quoted where Go's encoding/csv quotes, so that the values are those of cert-manager. */
function csv(values: readonly string[]): string {
  return values
    .map(value => (/[",\r\n]|^\s|^\\\.$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value))
    .join(',');
}
