import { z } from 'zod';
import { acmeIssuerSchema, acmeIssuerStatusSchema } from '../acme/issuer-config.ts';
import { conditions, dnsName, preserved, strings, typeMeta } from '../fields.ts';
import type { Resource } from '../resource.ts';
import { withRules } from '../rules.ts';

export const caIssuerSchema = z.object({
  secretName: dnsName().describe('Secret with the signing certificate (tls.crt) and key (tls.key).'),
  crlDistributionPoints: strings()
    .describe('URLs of revocation lists, for the signed certificates.')
    .optional(),
  ocspServers: strings().describe('URLs of OCSP responders, for the signed certificates.').optional(),
  issuingCertificateURLs: strings()
    .describe('URLs of the signing certificate, for the signed certificates.')
    .optional(),
});

export type CaIssuerConfig = z.infer<typeof caIssuerSchema>;

export const selfSignedIssuerSchema = z.object({
  crlDistributionPoints: strings()
    .describe('URLs of revocation lists, for the signed certificates.')
    .optional(),
});

export type SelfSignedIssuerConfig = z.infer<typeof selfSignedIssuerSchema>;

/** The types of issuers, by the field of the spec that makes an issuer one. */
export const issuerTypes = ['acme', 'ca', 'selfSigned', 'vault', 'venafi'] as const;

export type IssuerType = (typeof issuerTypes)[number];

const specFields = z.object({
  acme: acmeIssuerSchema.describe('Has certificates signed by an ACME server (RFC 8555).').optional(),
  ca: caIssuerSchema.describe('Signs with a certificate authority kept in a Secret.').optional(),
  selfSigned: selfSignedIssuerSchema.describe('Signs each certificate with its own key.').optional(),
  vault: preserved().describe('HashiCorp Vault: accepted, not signed with.').optional(),
  venafi: preserved().describe('Venafi: accepted, not signed with.').optional(),
});

export type IssuerSpec = z.infer<typeof specFields>;

/** The types that the spec names: one, unless the rule is broken. */
export function issuerTypesOf(spec: IssuerSpec): IssuerType[] {
  return issuerTypes.filter(type => spec[type] !== undefined);
}

export const issuerSpecSchema = withRules(specFields, {
  field: '',
  message: `must be of one type: set exactly one of ${issuerTypes.join(', ')}`,
  holds: spec => issuerTypesOf(spec).length === 1,
  cel: `${issuerTypes.map(type => `(has(self.${type}) ? 1 : 0)`).join(' + ')} == 1`,
});

export const issuerStatusSchema = z.object({
  conditions: conditions().describe('Ready.').optional(),
  acme: acmeIssuerStatusSchema.describe('The ACME account.').optional(),
});

export type IssuerStatus = z.infer<typeof issuerStatusSchema>;

export const issuerSchema = z.object({
  ...typeMeta,
  spec: issuerSpecSchema.describe('How it signs: exactly one of the types.'),
  status: issuerStatusSchema.describe('Whether it can sign.').optional(),
});

/** `cert-manager.io/v1` Issuer; a ClusterIssuer is the same without a namespace. */
export type Issuer = z.infer<typeof issuerSchema>;

export type ClusterIssuer = Issuer;

export const issuers: Resource<Issuer> = {
  group: 'cert-manager.io',
  version: 'v1',
  kind: 'Issuer',
  plural: 'issuers',
  namespaced: true,
  hasStatus: true,
};

export const clusterIssuers: Resource<ClusterIssuer> = {
  group: 'cert-manager.io',
  version: 'v1',
  kind: 'ClusterIssuer',
  plural: 'clusterissuers',
  namespaced: false,
  hasStatus: true,
};
