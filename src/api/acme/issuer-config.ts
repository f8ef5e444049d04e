import { z } from 'zod';
import { bytes, requiredText, secretKeySelector } from '../fields.ts';
import { withRules } from '../rules.ts';
import { solverSchema } from './solver.ts';

export const acmeIssuerSchema = withRules(
  z.object({
    server: z
      .string()
      .regex(/^https?:\/\/[^\s]+$/, { error: 'must be a URL that begins with https://' })
      .describe("URL of the ACME server's directory."),
    email: z.string().describe('Address the ACME server may write to.').optional(),
    preferredChain: z
      .string()
      .max(64)
      .describe(
        'Common name of the issuer of the topmost certificate of the chain to take, where there are several.',
      )
      .optional(),
    caBundle: bytes()
      .describe("Certificates (PEM, in base64) to verify the ACME server's own TLS with.")
      .optional(),
    skipTLSVerify: z
      .boolean()
      .describe("Whether the ACME server's TLS is left unverified. For tests alone.")
      .optional(),
    privateKeySecretRef: secretKeySelector().describe(
      'Where the account key is kept; entry tls.key where no key is named.',
    ),
    externalAccountBinding: z
      .object({
        keyID: requiredText().describe('Identifier of the external account.'),
        keySecretRef: secretKeySelector().describe('Its MAC key, in unpadded base64url.'),
        keyAlgorithm: z.enum(['HS256', 'HS384', 'HS512']).describe('Not used: HS256 always.').optional(),
      })
      .describe('Binds the ACME account to an account elsewhere (RFC 8555, 7.3.4).')
      .optional(),
    disableAccountKeyGeneration: z
      .boolean()
      .describe('Whether the account key must be there already and is never made.')
      .optional(),
    enableDurationFeature: z
      .boolean()
      .describe("Whether the Certificate's duration is asked for as notAfter.")
      .optional(),
    profile: z.string().describe('Certificate profile to ask for, one the ACME server names.').optional(),
    solvers: z
      .array(solverSchema)
      .describe('How challenges are solved.')
      .meta({ 'x-kubernetes-list-type': 'atomic' })
      .optional(),
  }),
  {
    field: 'skipTLSVerify',
    message: 'must not stand together with caBundle: leave skipTLSVerify out',
    holds: acme => acme.skipTLSVerify !== true || (acme.caBundle ?? '') === '',
    cel: '!(has(self.skipTLSVerify) && self.skipTLSVerify && has(self.caBundle) && size(self.caBundle) > 0)',
  },
);

/** spec.acme of an Issuer. */
export type AcmeIssuerConfig = z.infer<typeof acmeIssuerSchema>;

export const acmeIssuerStatusSchema = z.object({
  uri: z.string().describe('URL of the account.').optional(),
  lastRegisteredEmail: z.string().describe('Address the account was registered with last.').optional(),
  lastPrivateKeyHash: z.string().describe('Hash of the key the account was registered with last.').optional(),
});

export type AcmeIssuerStatus = z.infer<typeof acmeIssuerStatusSchema>;
