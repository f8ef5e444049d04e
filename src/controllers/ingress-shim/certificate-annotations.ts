import * as annotations from '../../api/annotations.ts';
import type {
  CertificatePrivateKey,
  CertificateSpec,
  CertificateSubject,
} from '../../api/cert-manager/certificate.ts';
import { minimumDurationMs, minimumRenewBeforeMs } from '../../api/cert-manager/certificate-times.ts';
import type { Ingress } from '../../api/kubernetes/ingress.ts';
import {
  dnsSubdomainHint,
  isCertificateDnsName,
  isDnsSubdomain,
  isEmailAddress,
  isIpAddress,
  isUri,
} from '../../api/syntax.ts';
import type { ValueReader } from './value-readers.ts';
import * as read from './value-readers.ts';

/** What the annotations of an Ingress say about each of its Certificates, while they are read. */
export interface CertificateDraft {
  /** dnsNames and ipAddresses are those beside the hosts of an entry. */
  readonly spec: Partial<CertificateSpec>;
  readonly annotations: Record<string, string>;
}

/** An annotation of an Ingress that says something about its Certificates. */
export interface CertificateAnnotation {
  readonly key: string;
  /** The field of the Certificate that the Ingress decides by it, in full: what stands there otherwise does not last. */
  readonly field: string | undefined;
  /** The annotations of the Certificate that it decides. */
  readonly targets: readonly string[];
  /** What may stand there, and what it does; for the documents, in Markdown. */
  readonly syntax: string;
  readonly help: string;
  /** Puts the value into the draft. Gives what it must be, where it is not. */
  readonly put: (text: string, draft: CertificateDraft, ingress: Ingress) => string | undefined;
}

type Put<T> = (draft: CertificateDraft, value: T, ingress: Ingress) => void;

function row<T>(
  about: Pick<CertificateAnnotation, 'key' | 'field' | 'targets' | 'help'>,
  reader: ValueReader<T>,
  put: Put<T>,
): CertificateAnnotation {
  return {
    ...about,
    syntax: reader.syntax,
    put(text, draft, ingress) {
      const reading = reader.read(text);
      if ('wanted' in reading) return reading.wanted;
      if (reading.value !== undefined) put(draft, reading.value, ingress);
      return undefined;
    },
  };
}

function specRow<F extends keyof CertificateSpec>(
  key: string,
  field: F,
  reader: ValueReader<NonNullable<CertificateSpec[F]>>,
  help: string,
): CertificateAnnotation {
  return row({ key, field, targets: [], help }, reader, ({ spec }, value) => {
    Object.assign(spec, { [field]: value });
  });
}

function subjectRow<F extends keyof CertificateSubject>(
  key: string,
  field: F,
  reader: ValueReader<NonNullable<CertificateSubject[F]>>,
  help: string,
): CertificateAnnotation {
  return row({ key, field: `subject.${field}`, targets: [], help }, reader, ({ spec }, value) => {
    spec.subject = { ...spec.subject, [field]: value };
  });
}

function keyRow<F extends keyof CertificatePrivateKey>(
  key: string,
  field: F,
  reader: ValueReader<NonNullable<CertificatePrivateKey[F]>>,
  help: string,
): CertificateAnnotation {
  return row({ key, field: `privateKey.${field}`, targets: [], help }, reader, ({ spec }, value) => {
    spec.privateKey = { ...spec.privateKey, [field]: value };
  });
}

/** Passes the value on as an annotation of the Certificate, `target`. */
function passedOn(
  key: string,
  target: string,
  reader: ValueReader<string>,
  help: string,
): CertificateAnnotation {
  return row({ key, field: undefined, targets: [target], help }, reader, (draft, value) => {
    draft.annotations[target] = value;
  });
}

const flag = read.oneOf('true', 'false');

/**
 * Every annotation of an Ingress that becomes a field or an annotation of its Certificates, beside the issuer's
 * (issuer.ts). The code reads the annotations by this table, and docs/annotations.md is made from it.
 * Source: cert-manager documentation, "Annotations", and its ingress-shim.
 */
export const certificateAnnotations: readonly CertificateAnnotation[] = [
  specRow(annotations.commonNameAnnotation, 'commonName', read.text(64), 'Common name of the subject.'),
  specRow(
    annotations.altNamesAnnotation,
    'dnsNames',
    read.names('DNS names', isCertificateDnsName, 'a DNS name such as "www.example.com"'),
    'DNS names beside the hosts of the `spec.tls` entry.',
  ),
  specRow(
    annotations.ipSansAnnotation,
    'ipAddresses',
    read.names('IP addresses', isIpAddress, 'an IP address such as "192.0.2.1" or "2001:db8::1"'),
    'IP addresses beside those among the hosts.',
  ),
  specRow(
    annotations.uriSansAnnotation,
    'uris',
    read.names('URIs', isUri, 'an absolute URI such as "spiffe://cluster.local/ns/default"'),
    'URIs.',
  ),
  specRow(
    annotations.emailSansAnnotation,
    'emailAddresses',
    read.names('email addresses', isEmailAddress, 'an email address alone, such as "ops@example.com"'),
    'Email addresses, without display names.',
  ),
  subjectRow(annotations.subjectOrganizationsAnnotation, 'organizations', read.texts, 'Organizations (O).'),
  subjectRow(
    annotations.subjectOrganizationalUnitsAnnotation,
    'organizationalUnits',
    read.texts,
    'Organizational units (OU).',
  ),
  subjectRow(annotations.subjectCountriesAnnotation, 'countries', read.texts, 'Countries (C).'),
  subjectRow(annotations.subjectProvincesAnnotation, 'provinces', read.texts, 'States or provinces (ST).'),
  subjectRow(annotations.subjectLocalitiesAnnotation, 'localities', read.texts, 'Cities (L).'),
  subjectRow(annotations.subjectPostalCodesAnnotation, 'postalCodes', read.texts, 'Postal codes.'),
  subjectRow(
    annotations.subjectStreetAddressesAnnotation,
    'streetAddresses',
    read.texts,
    'Street addresses, such as `"1 Main Street, Back Yard",2 Side Street`.',
  ),
  subjectRow(
    annotations.subjectSerialNumberAnnotation,
    'serialNumber',
    read.anyText,
    'Serial number of the subject, not of the certificate.',
  ),
  specRow(
    annotations.durationAnnotation,
    'duration',
    read.duration(minimumDurationMs, '1h'),
    'Lifetime to ask for; 90 days without it.',
  ),
  specRow(
    annotations.renewBeforeAnnotation,
    'renewBefore',
    read.duration(minimumRenewBeforeMs, '5m'),
    'How long before its end the certificate is renewed: less than its lifetime; a third of it without the annotation.',
  ),
  specRow(
    annotations.renewBeforePercentageAnnotation,
    'renewBeforePercentage',
    read.wholeNumber(1, 99),
    'The same as a percentage of the lifetime: with `25`, renewed when 25 % are left. Not together with `renew-before`; 5m of the lifetime at least.',
  ),
  specRow(
    annotations.usagesAnnotation,
    'usages',
    read.usages,
    'Key usages and extended key usages; `digital signature,key encipherment` without it.',
  ),
  specRow(
    annotations.revisionHistoryLimitAnnotation,
    'revisionHistoryLimit',
    read.wholeNumber(1),
    'How many CertificateRequests are kept; 1 without it.',
  ),
  keyRow(
    annotations.privateKeyAlgorithmAnnotation,
    'algorithm',
    read.oneOf('RSA', 'ECDSA', 'Ed25519'),
    'Kind of the private key; RSA without it.',
  ),
  keyRow(
    annotations.privateKeyEncodingAnnotation,
    'encoding',
    read.oneOf('PKCS1', 'PKCS8'),
    'Encoding of `tls.key`; PKCS1 without it.',
  ),
  keyRow(
    annotations.privateKeySizeAnnotation,
    'size',
    { ...read.wholeNumber(1), syntax: 'number of bits' },
    'Bits of the private key: 2048 to 8192 for RSA (2048 without it); 256, 384 or 521 for ECDSA (256 without it); not used for Ed25519.',
  ),
  keyRow(
    annotations.privateKeyRotationPolicyAnnotation,
    'rotationPolicy',
    read.oneOf('Never', 'Always'),
    'Whether each issuance takes a new key (Always, the default) or keeps the one there is (Never).',
  ),
  specRow(
    annotations.secretTemplateAnnotation,
    'secretTemplate',
    read.secretTemplate,
    'Labels and annotations for the Secret. Annotation keys that begin with `cert-manager.io/` are refused.',
  ),
  row(
    {
      key: annotations.http01EditInPlaceAnnotation,
      field: undefined,
      targets: [
        annotations.http01OverrideIngressNameAnnotation,
        annotations.issueTemporaryCertificateAnnotation,
      ],
      help: 'Solves the challenge on this very Ingress; until the signed certificate is there, a temporary one is in the Secret.',
    },
    { ...read.anyText, syntax: '`true`; any other value does nothing' },
    (draft, value, ingress) => {
      if (value !== 'true') return;
      draft.annotations[annotations.http01OverrideIngressNameAnnotation] = ingress.metadata.name ?? '';
      draft.annotations[annotations.issueTemporaryCertificateAnnotation] = 'true';
    },
  ),
  passedOn(
    annotations.http01IngressClassAnnotation,
    annotations.http01OverrideIngressClassAnnotation,
    { ...read.anyText, syntax: 'class; empty counts as absent' },
    'Class of the Ingress that carries the challenge, written as the annotation `kubernetes.io/ingress.class`.',
  ),
  passedOn(
    annotations.http01IngressClassNameAnnotation,
    annotations.http01OverrideIngressClassNameAnnotation,
    read.textLike('name of an IngressClass; empty counts as absent', isDnsSubdomain, dnsSubdomainHint),
    'The same, written as `spec.ingressClassName`.',
  ),
  passedOn(
    annotations.fallbackIssuersAnnotation,
    annotations.fallbackIssuersAnnotation,
    read.fallbackIssuers,
    'Issuers to try, in order and at once, when the one before has failed for good.',
  ),
  passedOn(
    annotations.deleteSecretAnnotation,
    annotations.deleteSecretAnnotation,
    flag,
    'Deletes the Secret together with the Certificate.',
  ),
  passedOn(
    annotations.revokeOnDeleteAnnotation,
    annotations.revokeOnDeleteAnnotation,
    flag,
    'Has the certificate revoked when the Certificate is deleted.',
  ),
];
