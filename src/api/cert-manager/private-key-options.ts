import { z } from 'zod';
import { withRules } from '../rules.ts';

const ecdsaSizes: readonly number[] = [256, 384, 521];

/** spec.privateKey of a Certificate. Size 0 is no size. */
export const privateKeySchema = withRules(
  z.object({
    rotationPolicy: z
      .enum(['Never', 'Always'])
      .describe(
        'Whether each issuance takes a new key (Always, the default) or keeps the one there is (Never).',
      )
      .optional(),
    encoding: z.enum(['PKCS1', 'PKCS8']).describe('Encoding of tls.key; PKCS1 where absent.').optional(),
    algorithm: z.enum(['RSA', 'ECDSA', 'Ed25519']).describe('Kind of the key; RSA where absent.').optional(),
    size: z
      .int32()
      .describe('Bits: RSA 2048 (default) to 8192, ECDSA 256 (default), 384 or 521. Not used for Ed25519.')
      .optional(),
  }),
  {
    field: 'size',
    message: 'must fit algorithm (RSA where absent): 2048 to 8192 for RSA; 256, 384 or 521 for ECDSA',
    holds: ({ algorithm = 'RSA', size = 0 }) => {
      if (size === 0 || algorithm === 'Ed25519') return true;
      return algorithm === 'ECDSA' ? ecdsaSizes.includes(size) : size >= 2048 && size <= 8192;
    },
    cel: "!has(self.size) || self.size == 0 || (has(self.algorithm) && self.algorithm != 'RSA' ? (self.algorithm == 'Ed25519' || self.size in [256, 384, 521]) : (self.size >= 2048 && self.size <= 8192))",
  },
);

export type CertificatePrivateKey = z.infer<typeof privateKeySchema>;
