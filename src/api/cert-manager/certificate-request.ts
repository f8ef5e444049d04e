import { z } from 'zod';
import { bytes, conditions, goDuration, strings, timestamp, typeMeta } from '../fields.ts';
import type { Resource } from '../resource.ts';
import { immutable } from '../rules.ts';
import { issuerRefSchema } from './issuer-ref.ts';
import { keyUsageSchema } from './key-usage.ts';

export const certificateRequestSpecSchema = z.object({
  issuerRef: issuerRefSchema.describe('Who signs.'),
  request: bytes().describe('The certificate signing request: PEM, in base64.'),
  duration: goDuration().describe('Lifetime to ask for.').optional(),
  isCA: z.boolean().describe('Whether the certificate may sign others.').optional(),
  usages: z
    .array(keyUsageSchema)
    .describe('Key usages; "digital signature" and "key encipherment" where absent.')
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .optional(),
  username: z.string().describe('User who asked.').optional(),
  uid: z.string().describe('UID of that user.').optional(),
  groups: strings().describe('Groups of that user.').optional(),
  extra: z.record(z.string(), z.array(z.string())).describe('Further attributes of that user.').optional(),
});

export type CertificateRequestSpec = z.infer<typeof certificateRequestSpecSchema>;

export const certificateRequestStatusSchema = z.object({
  conditions: conditions().describe('Approved, Denied, InvalidRequest, Ready.').optional(),
  certificate: bytes().describe('The signed certificate with its chain: PEM, in base64.').optional(),
  ca: bytes().describe('The certificate of the signer, where it is known: PEM, in base64.').optional(),
  failureTime: timestamp().describe('When the request failed.').optional(),
});

export type CertificateRequestStatus = z.infer<typeof certificateRequestStatusSchema>;

export const certificateRequestSchema = z.object({
  ...typeMeta,
  spec: immutable(certificateRequestSpecSchema).describe('What is to be signed. Not to be changed.'),
  status: certificateRequestStatusSchema.describe('How far it is.').optional(),
});

/** `cert-manager.io/v1` CertificateRequest: one CSR for one issuer, signed once or failed. */
export type CertificateRequest = z.infer<typeof certificateRequestSchema>;

export const certificateRequests: Resource<CertificateRequest> = {
  group: 'cert-manager.io',
  version: 'v1',
  kind: 'CertificateRequest',
  plural: 'certificaterequests',
  namespaced: true,
  hasStatus: true,
};
