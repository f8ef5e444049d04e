import { z } from 'zod';
import { issuerRefSchema } from '../cert-manager/issuer-ref.ts';
import { bytes, goDuration, strings, timestamp, typeMeta } from '../fields.ts';
import type { Resource } from '../resource.ts';
import { immutable } from '../rules.ts';

/** States of orders, authorizations and challenges; `errored` is a failure that is not the ACME server's verdict. */
export const acmeStates = [
  'valid',
  'ready',
  'pending',
  'processing',
  'invalid',
  'expired',
  'errored',
] as const;

export const acmeStateSchema = z.enum(acmeStates);

export type AcmeState = z.infer<typeof acmeStateSchema>;

export const orderSpecSchema = z.object({
  request: bytes().describe('The certificate signing request: PEM, in base64.'),
  issuerRef: issuerRefSchema.describe('The ACME issuer.'),
  commonName: z.string().describe('Common name of the CSR; one of the names below too.').optional(),
  dnsNames: strings().describe('DNS names to prove.').optional(),
  ipAddresses: strings().describe('IP addresses to prove (RFC 8738).').optional(),
  duration: goDuration().describe('Lifetime to ask for.').optional(),
  profile: z.string().describe('Certificate profile to ask for.').optional(),
});

export type OrderSpec = z.infer<typeof orderSpecSchema>;

export const acmeChallengeSchema = z.object({
  url: z.string().describe('URL of the challenge.'),
  token: z.string().describe('Its token.'),
  type: z.string().describe('Its type, as the ACME server names it: http-01, say.'),
});

export const acmeAuthorizationSchema = z.object({
  url: z.string().describe('URL of the authorization.'),
  identifier: z.string().describe('Name to prove, without a wildcard.').optional(),
  wildcard: z.boolean().describe('Whether it was a wildcard name.').optional(),
  initialState: acmeStateSchema
    .describe('Its state when it was first read; a valid one needs no Challenge.')
    .optional(),
  challenges: z
    .array(acmeChallengeSchema)
    .describe('The challenges offered.')
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .optional(),
});

/** An authorization as the Order's status keeps it. */
export type AcmeAuthorization = z.infer<typeof acmeAuthorizationSchema>;

export const orderStatusSchema = z.object({
  url: z.string().describe('URL of the order at the ACME server.').optional(),
  finalizeURL: z.string().describe('URL the CSR is sent to.').optional(),
  authorizations: z
    .array(acmeAuthorizationSchema)
    .describe('What has to be proved.')
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .optional(),
  certificate: bytes().describe('The signed certificate with its chain: PEM, in base64.').optional(),
  state: acmeStateSchema.describe('State of the order.').optional(),
  reason: z.string().describe('Why it is in that state.').optional(),
  failureTime: timestamp().describe('When it failed.').optional(),
});

export type OrderStatus = z.infer<typeof orderStatusSchema>;

export const orderSchema = z.object({
  ...typeMeta,
  spec: immutable(orderSpecSchema).describe('What is ordered. Not to be changed.'),
  status: orderStatusSchema.describe('How far it is.').optional(),
});

/** `acme.cert-manager.io/v1` Order: one order at an ACME server (RFC 8555, 7.1.3). */
export type Order = z.infer<typeof orderSchema>;

export const orders: Resource<Order> = {
  group: 'acme.cert-manager.io',
  version: 'v1',
  kind: 'Order',
  plural: 'orders',
  namespaced: true,
  hasStatus: true,
};
