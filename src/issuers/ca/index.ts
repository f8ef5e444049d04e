import type { Issuer } from '../../api/cert-manager/issuer.ts';
import { secrets, tlsCertificateKey, tlsPrivateKeyKey } from '../../api/kubernetes/secret.ts';
import { issuerReasons } from '../../api/reasons.ts';
import { messageOf, TerminalError } from '../../core/errors.ts';
import { parseCertificates } from '../../pki/certificate.ts';
import { parseChain } from '../../pki/chain.ts';
import { keyFitsCertificate } from '../../pki/key-pair.ts';
import { parsePrivateKey } from '../../pki/private-key.ts';
import { signCertificate } from '../../pki/sign.ts';
import { type IssuerContext, secretNamespaceOf } from '../context.ts';
import type { IssuerType, SetUpResult, SignRequest, SignResult } from '../issuer.ts';
import { contentOf, validityFor } from '../signed-content.ts';

/** Signs with a certificate authority whose certificate and key are in a Secret. */
export function caIssuer(context: IssuerContext): IssuerType {
  return {
    async setUp(issuer): Promise<SetUpResult> {
      const { secretName = '' } = issuer.spec.ca ?? {};
      try {
        signingPair(context, issuer);
        const message = `The signing key pair in Secret ${JSON.stringify(secretName)} is usable.`;
        return { ready: true, reason: issuerReasons.keyPairVerified, message };
      } catch (error) {
        const there = findSecret(context, issuer) !== undefined;
        const reason = there ? issuerReasons.errInvalidKeyPair : issuerReasons.errGetKeyPair;
        return { ready: false, reason, message: messageOf(error) };
      }
    },

    async sign(issuer, signRequest): Promise<SignResult> {
      const pair = signingPair(context, issuer);
      const leaf = await signCertificate({
        ...contentOf(signRequest),
        ...validityFor(signRequest, context.clock.now(), pair.notAfterMs),
        issuer: { certificate: pair.certificate, key: pair.key },
        crlDistributionPoints: issuer.spec.ca?.crlDistributionPoints ?? [],
        ocspServers: issuer.spec.ca?.ocspServers ?? [],
        issuingCertificateURLs: issuer.spec.ca?.issuingCertificateURLs ?? [],
      });
      return signedChain(signRequest, leaf, pair.chain);
    },
  };
}

function signedChain(_request: SignRequest, leaf: string, signers: string): SignResult {
  const { chain, ca } = parseChain(leaf + signers);
  return { kind: 'signed', chain, ca };
}

function findSecret(context: IssuerContext, issuer: Issuer): ReturnType<ReturnType<typeof cacheOf>['get']> {
  const name = issuer.spec.ca?.secretName ?? '';
  return cacheOf(context).get({ namespace: secretNamespaceOf(context, issuer), name });
}

function cacheOf(context: IssuerContext) {
  return context.caches.cacheOf(secrets);
}

/** The authority's certificate and key; a TerminalError that names the Secret and the fix where they are not usable. */
function signingPair(context: IssuerContext, issuer: Issuer) {
  const where = `Secret "${secretNamespaceOf(context, issuer)}/${issuer.spec.ca?.secretName ?? ''}"`;
  const secret = findSecret(context, issuer);
  if (secret === undefined) {
    throw unusable(
      `${where} of spec.ca.secretName does not exist; create it with ${tlsCertificateKey} and ${tlsPrivateKeyKey}.`,
    );
  }
  const chain = decoded(secret.data?.[tlsCertificateKey]);
  const privateKey = decoded(secret.data?.[tlsPrivateKeyKey]);
  if (chain === '' || privateKey === '') {
    throw unusable(`${where} of spec.ca.secretName must have ${tlsCertificateKey} and ${tlsPrivateKeyKey}.`);
  }
  const fit = keyFitsCertificate(privateKey, chain);
  if (fit.verdict !== 'fits')
    throw unusable(`${where} of spec.ca.secretName holds no usable key pair: ${fit.reason}`);
  const [certificate] = parseCertificates(chain);
  if (certificate === undefined || !certificate.isCA) {
    throw unusable(
      `The certificate in ${where} of spec.ca.secretName is no certificate authority: it was not issued with isCA.`,
    );
  }
  if (context.clock.now() >= certificate.notAfterMs) {
    throw unusable(`The certificate authority in ${where} of spec.ca.secretName has expired; replace it.`);
  }
  return {
    certificate: certificate.pem,
    chain,
    key: parsePrivateKey(privateKey),
    notAfterMs: certificate.notAfterMs,
  };
}

function unusable(message: string): TerminalError {
  return new TerminalError(message, { code: 'CA_KEY_PAIR_UNUSABLE' });
}

function decoded(base64: string | undefined): string {
  return Buffer.from(base64 ?? '', 'base64').toString();
}
