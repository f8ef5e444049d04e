import { z } from 'zod';
import { issuerRefSchema } from '../cert-manager/issuer-ref.ts';
import { conditions, preserved, timestamp, typeMeta } from '../fields.ts';
import type { Resource } from '../resource.ts';
import { immutable } from '../rules.ts';
import { acmeStateSchema } from './order.ts';
import { solverSchema } from './solver.ts';

export const challengeSpecSchema = z.object({
  url: z.string().describe('URL of the challenge at the ACME server.'),
  authorizationURL: z.string().describe('URL of its authorization.'),
  dnsName: z.string().describe('Name to prove, without a wildcard.'),
  wildcard: z.boolean().describe('Whether it is for a wildcard name.').optional(),
  type: z.enum(['HTTP-01', 'DNS-01']).describe('Type of the challenge.'),
  token: z.string().describe('Token of the ACME server.'),
  key: z.string().describe('Answer to be presented: for HTTP-01 the key authorization.'),
  solver: solverSchema.describe('How it is solved.'),
  issuerRef: issuerRefSchema.describe('The ACME issuer.'),
});

export type ChallengeSpec = z.infer<typeof challengeSpecSchema>;

export const challengeStatusSchema = z.object({
  processing: z.boolean().describe('Whether it is being worked on.').optional(),
  presented: z.boolean().describe('Whether the answer is in place.').optional(),
  state: acmeStateSchema.describe('State of the challenge.').optional(),
  reason: z.string().describe('Why it is in that state.').optional(),
  conditions: conditions().describe('Presented, Solved, Accepted.').optional(),
  solver: preserved().describe('What the solver has seen so far.').optional(),
  nextReconcile: timestamp().describe('When it is looked at next.').optional(),
});

export type ChallengeStatus = z.infer<typeof challengeStatusSchema>;

export const challengeSchema = z.object({
  ...typeMeta,
  spec: immutable(challengeSpecSchema).describe('What is to be proved. Not to be changed.'),
  status: challengeStatusSchema.describe('How far it is.').optional(),
});

/** `acme.cert-manager.io/v1` Challenge: one challenge of an authorization (RFC 8555, 7.1.5). */
export type Challenge = z.infer<typeof challengeSchema>;

export const challenges: Resource<Challenge> = {
  group: 'acme.cert-manager.io',
  version: 'v1',
  kind: 'Challenge',
  plural: 'challenges',
  namespaced: true,
  hasStatus: true,
};
