import { parseDuration } from '../../core/duration.ts';
import type { Rule } from '../rules.ts';
import type { CertificateSpec } from './certificate.ts';
import { defaultDuration, minimumRenewBeforeMs } from './certificate-times.ts';

/** What a literal subject needs to count as a name: a CN, by name or by object identifier. */
const literalCommonName = /(^|[,;+]) *(CN|2\.5\.4\.3) *=/i;

const filled = (list: { readonly length: number } | undefined): boolean => (list?.length ?? 0) > 0;

/** Whether a list or a text of the CEL variable `self` is there and not empty. */
const filledCel = (field: string): string => `(has(self.${field}) && size(self.${field}) > 0)`;

const nameFields = [
  'commonName',
  'dnsNames',
  'ipAddresses',
  'uris',
  'emailAddresses',
  'otherNames',
] as const satisfies readonly (keyof CertificateSpec)[];

const subjectFields = [
  'organizations',
  'organizationalUnits',
  'countries',
  'provinces',
  'localities',
  'streetAddresses',
  'postalCodes',
  'serialNumber',
] as const satisfies readonly (keyof NonNullable<CertificateSpec['subject']>)[];

const durationCel = `duration(has(self.duration) ? self.duration : '${defaultDuration}')`;
const durationMs = (spec: CertificateSpec): number | undefined =>
  parseDuration(spec.duration ?? defaultDuration);

/** The prefix that fits each kind of key is how signature algorithms are named. */
function signatureFits(spec: CertificateSpec): boolean {
  const wanted = spec.signatureAlgorithm;
  if (wanted === undefined) return true;
  const key = spec.privateKey?.algorithm ?? 'RSA';
  if (key === 'RSA') return wanted.endsWith('WithRSA');
  return key === 'ECDSA' ? wanted.startsWith('ECDSAWith') : wanted === 'PureEd25519';
}

/** Rules between the fields of a Certificate's spec. */
export const certificateRules: readonly Rule<CertificateSpec>[] = [
  {
    field: '',
    message:
      'names nothing: set commonName, dnsNames, ipAddresses, uris, emailAddresses, otherNames or a literalSubject with CN',
    holds: spec =>
      nameFields.some(field => filled(spec[field])) || literalCommonName.test(spec.literalSubject ?? ''),
    cel: `${nameFields.map(filledCel).join(' || ')} || (has(self.literalSubject) && self.literalSubject.matches(r'(?i)(^|[,;+]) *(CN|2[.]5[.]4[.]3) *='))`,
  },
  {
    field: 'literalSubject',
    message: 'must not stand together with commonName: put CN into literalSubject and leave commonName out',
    holds: spec => !filled(spec.literalSubject) || !filled(spec.commonName),
    cel: `!(${filledCel('literalSubject')} && ${filledCel('commonName')})`,
  },
  {
    field: 'literalSubject',
    message: 'must not stand together with subject: leave one of the two out',
    holds: ({ literalSubject, subject }) =>
      !filled(literalSubject) ||
      subject === undefined ||
      !subjectFields.some(field => filled(subject[field])),
    cel: `!${filledCel('literalSubject')} || !has(self.subject) || !(${subjectFields.map(field => filledCel(`subject.${field}`)).join(' || ')})`,
  },
  {
    field: 'renewBefore',
    message: 'must not stand together with renewBeforePercentage: leave one of the two out',
    holds: spec => spec.renewBefore === undefined || spec.renewBeforePercentage === undefined,
    cel: '!has(self.renewBefore) || !has(self.renewBeforePercentage)',
  },
  {
    field: 'renewBefore',
    message: `must be shorter than duration (${defaultDuration} where absent): shorten it, or lengthen duration`,
    holds: spec => {
      const before = spec.renewBefore === undefined ? undefined : parseDuration(spec.renewBefore);
      const whole = durationMs(spec);
      return before === undefined || whole === undefined || before < whole;
    },
    cel: `!has(self.renewBefore) || duration(self.renewBefore) < ${durationCel}`,
  },
  {
    field: 'renewBeforePercentage',
    message: 'must leave 5m or more of duration for the renewal: raise it, or lengthen duration',
    holds: spec =>
      spec.renewBeforePercentage === undefined ||
      ((durationMs(spec) ?? Infinity) * spec.renewBeforePercentage) / 100 >= minimumRenewBeforeMs,
    cel: `!has(self.renewBeforePercentage) || ${durationCel}.getSeconds() * self.renewBeforePercentage >= ${minimumRenewBeforeMs / 10}`,
  },
  {
    field: 'signatureAlgorithm',
    message:
      'must fit privateKey.algorithm (RSA where absent): SHA256WithRSA, SHA384WithRSA or SHA512WithRSA for RSA, ECDSAWithSHA256, ECDSAWithSHA384 or ECDSAWithSHA512 for ECDSA, PureEd25519 for Ed25519',
    holds: signatureFits,
    cel: "!has(self.signatureAlgorithm) || (has(self.privateKey) && has(self.privateKey.algorithm) && self.privateKey.algorithm != 'RSA' ? (self.privateKey.algorithm == 'ECDSA' ? self.signatureAlgorithm.startsWith('ECDSAWith') : self.signatureAlgorithm == 'PureEd25519') : self.signatureAlgorithm.endsWith('WithRSA'))",
  },
  {
    field: 'nameConstraints',
    message: 'is for certificates that sign others: set isCA to true, or leave nameConstraints out',
    holds: spec => spec.nameConstraints === undefined || spec.isCA === true,
    cel: '!has(self.nameConstraints) || (has(self.isCA) && self.isCA)',
  },
];
