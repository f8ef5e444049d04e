import { z } from 'zod';
import { requiredText, secretKeySelector } from '../fields.ts';
import { type Rule, withRules } from '../rules.ts';

const common = {
  create: z.boolean().describe('Whether the keystore is made.'),
  passwordSecretRef: secretKeySelector().describe('Where the password is.').optional(),
  password: requiredText().describe('The password itself, in the place of passwordSecretRef.').optional(),
};

const onePassword: Rule<{ password?: string | undefined; passwordSecretRef?: object | undefined }> = {
  field: '',
  message: 'needs exactly one password: set passwordSecretRef or password',
  holds: store => (store.password === undefined) !== (store.passwordSecretRef === undefined),
  cel: 'has(self.password) != has(self.passwordSecretRef)',
};

/** spec.keystores of a Certificate. */
export const keystoresSchema = z.object({
  jks: withRules(
    z.object({
      ...common,
      alias: z.string().describe('Alias of the key; "certificate" where absent.').optional(),
    }),
    onePassword,
  )
    .describe('keystore.jks and truststore.jks in the Secret.')
    .optional(),
  pkcs12: withRules(
    z.object({
      ...common,
      profile: z
        .enum(['LegacyRC2', 'LegacyDES', 'Modern2023'])
        .describe('Algorithms: LegacyRC2 (default), LegacyDES, or Modern2023.')
        .optional(),
    }),
    onePassword,
  )
    .describe('keystore.p12 and truststore.p12 in the Secret.')
    .optional(),
});

export type CertificateKeystores = z.infer<typeof keystoresSchema>;
