import { privateKeySecretNameAnnotation } from '../../api/annotations.ts';
import { secrets, tlsPrivateKeyKey } from '../../api/kubernetes/secret.ts';
import { issuerReasons } from '../../api/reasons.ts';
import { messageOf } from '../../core/errors.ts';
import { parsePrivateKey, samePublicKey } from '../../pki/private-key.ts';
import { selfSign } from '../../pki/sign.ts';
import { urlProblem } from '../certificate-urls.ts';
import type { IssuerContext } from '../context.ts';
import type { IssuerType, SignResult } from '../issuer.ts';
import { ended, quoted } from '../sentence.ts';
import { contentOf, validityFor } from '../signed-content.ts';

/** Signs each certificate with its own private key, which the request's annotation leads to. */
export function selfSignedIssuer(context: IssuerContext): IssuerType {
  return {
    async setUp({ spec }) {
      const problem = urlProblem('spec.selfSigned', spec.selfSigned);
      if (problem !== undefined)
        return { ready: false, reason: issuerReasons.invalidConfig, message: problem };
      return {
        ready: true,
        reason: issuerReasons.isReady,
        message: 'Self-signed certificates need nothing else.',
      };
    },

    async sign(issuer, signRequest): Promise<SignResult> {
      const { request, csr } = signRequest;
      const name = request.metadata.annotations?.[privateKeySecretNameAnnotation] ?? '';
      if (name === '') {
        return {
          kind: 'failed',
          message: `The annotation ${privateKeySecretNameAnnotation} is missing; it must name the Secret with the private key of the CSR.`,
        };
      }
      const secret = context.caches
        .cacheOf(secrets)
        .get({ namespace: request.metadata.namespace ?? '', name });
      if (secret === undefined) {
        return {
          kind: 'pending',
          message: `Waiting for Secret ${quoted(name)} with the private key.`,
          afterMs: 5_000,
        };
      }
      try {
        const key = parsePrivateKey(Buffer.from(secret.data?.[tlsPrivateKeyKey] ?? '', 'base64'));
        if (!samePublicKey(key, csr.publicKey)) {
          return {
            kind: 'failed',
            message: `The private key in Secret ${quoted(name)} is not the one of the CSR.`,
          };
        }
        const chain = await selfSign({
          ...contentOf(signRequest),
          ...validityFor(signRequest, context.clock.now()),
          key,
          // It is the same key that signs: what the Certificate asks for its request can be done here too.
          signatureAlgorithm: csr.signatureAlgorithm,
          crlDistributionPoints: issuer.spec.selfSigned?.crlDistributionPoints ?? [],
        });
        return { kind: 'signed', chain, ca: chain };
      } catch (error) {
        return {
          kind: 'failed',
          message: `Secret ${quoted(name)} cannot be used: ${ended(messageOf(error))}`,
        };
      }
    },
  };
}
