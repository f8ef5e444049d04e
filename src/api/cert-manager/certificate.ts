import { z } from 'zod';
import { parseDuration } from '../../core/duration.ts';
import { conditions, dnsName, goDuration, requiredText, stringsOf, timestamp, typeMeta } from '../fields.ts';
import type { Resource } from '../resource.ts';
import { withRules } from '../rules.ts';
import {
  isCertificateDnsName,
  isEmailAddress,
  isIpAddress,
  isObjectIdentifier,
  isPlainText,
  isUri,
  plainTextHint,
} from '../syntax.ts';
import { certificateRules } from './certificate-rules.ts';
import { minimumDurationMs, minimumRenewBeforeMs } from './certificate-times.ts';
import { issuerRefSchema } from './issuer-ref.ts';
import { keyUsageSchema } from './key-usage.ts';
import { keystoresSchema } from './keystores.ts';
import { nameConstraintsSchema } from './name-constraints.ts';
import { privateKeySchema } from './private-key-options.ts';
import { secretTemplateSchema } from './secret-template.ts';
import { subjectSchema } from './subject.ts';

export type { CertificateKeystores } from './keystores.ts';
export type { CertificatePrivateKey } from './private-key-options.ts';
export type { CertificateSubject } from './subject.ts';

export const otherNameSchema = z.object({
  oid: z
    .string()
    .refine(isObjectIdentifier, { error: 'must be an object identifier such as "1.3.6.1.4.1.311.20.2.3"' })
    .describe('Object identifier of the type of name.'),
  utf8Value: requiredText().describe('The name.'),
});

export const signatureAlgorithms = [
  'SHA256WithRSA',
  'SHA384WithRSA',
  'SHA512WithRSA',
  'ECDSAWithSHA256',
  'ECDSAWithSHA384',
  'ECDSAWithSHA512',
  'PureEd25519',
] as const;

const specFields = z.object({
  secretName: dnsName().describe('Secret in the same namespace that holds the certificate and its key.'),
  issuerRef: issuerRefSchema.describe('Who signs.'),
  commonName: z
    .string()
    .max(64)
    .refine(isPlainText, { error: plainTextHint })
    .describe('Common name of the subject, 64 characters at most.')
    .optional(),
  dnsNames: stringsOf(isCertificateDnsName, 'must be a DNS name such as "www.example.com" or "*.example.com"')
    .describe('DNS names the certificate is for.')
    .optional(),
  ipAddresses: stringsOf(isIpAddress, 'must be an IP address such as "192.0.2.1" or "2001:db8::1"')
    .describe('IP addresses the certificate is for.')
    .optional(),
  uris: stringsOf(isUri, 'must be an absolute URI such as "spiffe://cluster.local/ns/default"')
    .describe('URIs the certificate is for.')
    .optional(),
  emailAddresses: stringsOf(isEmailAddress, 'must be an email address alone, such as "ops@example.com"')
    .describe('Email addresses the certificate is for.')
    .optional(),
  otherNames: z
    .array(otherNameSchema)
    .describe('Further names, by object identifier (RFC 5280 otherName).')
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .optional(),
  subject: subjectSchema.describe('Attributes of the subject beside the common name.').optional(),
  literalSubject: z
    .string()
    .max(4096)
    .describe('The whole subject as RFC 4514 text, in the place of subject and commonName.')
    .optional(),
  duration: withRules(goDuration(), {
    field: '',
    message: 'must be 1h or more',
    holds: text => (parseDuration(text) ?? Infinity) >= minimumDurationMs,
    cel: "duration(self) >= duration('1h')",
  })
    .describe('Lifetime to ask for; 2160h (90 days) where absent, 1h at least.')
    .optional(),
  renewBefore: withRules(goDuration(), {
    field: '',
    message: 'must be 5m or more',
    holds: text => (parseDuration(text) ?? Infinity) >= minimumRenewBeforeMs,
    cel: "duration(self) >= duration('5m')",
  })
    .describe(
      'How long before its end the certificate is renewed; a third of its lifetime where absent, 5m at least.',
    )
    .optional(),
  renewBeforePercentage: z
    .int32()
    .min(1)
    .max(99)
    .describe('The same as a percentage of the lifetime: with 25, renewed when 25 % are left.')
    .optional(),
  isCA: z.boolean().describe('Whether the certificate may sign others.').optional(),
  usages: z
    .array(keyUsageSchema)
    .describe('Key usages; "digital signature" and "key encipherment" where absent.')
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .optional(),
  encodeUsagesInRequest: z
    .boolean()
    .describe('Whether the usages are in the CSR too; true where absent.')
    .optional(),
  privateKey: privateKeySchema.describe('The private key: kind, size, rotation.').optional(),
  signatureAlgorithm: z
    .enum(signatureAlgorithms)
    .describe('Algorithm the CSR is signed with; it must fit the key.')
    .optional(),
  secretTemplate: secretTemplateSchema.describe('Labels and annotations for the Secret.').optional(),
  keystores: keystoresSchema.describe('Keystores to put into the Secret as well.').optional(),
  additionalOutputFormats: withRules(z.array(z.object({ type: z.enum(['DER', 'CombinedPEM']) })).max(2), {
    field: '',
    message: 'must name each type once: leave the repeated one out',
    holds: formats => new Set(formats.map(format => format.type)).size === formats.length,
    cel: 'self.all(one, self.exists_one(other, one.type == other.type))',
  })
    .describe('Further entries of the Secret: key.der (DER), tls-combined.pem (CombinedPEM).')
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .optional(),
  nameConstraints: nameConstraintsSchema.describe('Which names a CA may sign.').optional(),
  revisionHistoryLimit: z
    .int32()
    .min(1)
    .describe('How many CertificateRequests are kept; 1 where absent.')
    .optional(),
});

export type CertificateSpec = z.infer<typeof specFields>;

export const certificateSpecSchema = withRules(specFields, ...certificateRules);

export const certificateStatusSchema = z.object({
  conditions: conditions().describe('Ready and Issuing.').optional(),
  notBefore: timestamp().describe('When the certificate in the Secret begins to be valid.').optional(),
  notAfter: timestamp().describe('When it ends to be valid.').optional(),
  renewalTime: timestamp().describe('When it is renewed.').optional(),
  revision: z.int().describe('Number of issuances so far.').optional(),
  nextPrivateKeySecretName: z.string().describe('Secret with the key of the issuance under way.').optional(),
  lastFailureTime: timestamp().describe('When an issuance failed last; absent after a success.').optional(),
  failedIssuanceAttempts: z.int().describe('Failures in a row.').optional(),
});

export type CertificateStatus = z.infer<typeof certificateStatusSchema>;

export const certificateSchema = z.object({
  ...typeMeta,
  spec: certificateSpecSchema.describe('What is wanted.'),
  status: certificateStatusSchema.describe('What there is.').optional(),
});

/** `cert-manager.io/v1` Certificate: a certificate that is kept in a Secret and renewed in time. */
export type Certificate = z.infer<typeof certificateSchema>;

export const certificates: Resource<Certificate> = {
  group: 'cert-manager.io',
  version: 'v1',
  kind: 'Certificate',
  plural: 'certificates',
  namespaced: true,
  hasStatus: true,
};
