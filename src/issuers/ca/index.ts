import type { Issuer } from '../../api/cert-manager/issuer.ts';
import { type Secret, tlsCertificateKey, tlsPrivateKeyKey } from '../../api/kubernetes/secret.ts';
import { issuerReasons } from '../../api/reasons.ts';
import { messageOf, TerminalError } from '../../core/errors.ts';
import { parseCertificate } from '../../pki/certificate.ts';
import { parseChain } from '../../pki/chain.ts';
import { keyFitsCertificate } from '../../pki/key-pair.ts';
import { parsePrivateKey } from '../../pki/private-key.ts';
import { signCertificate } from '../../pki/sign.ts';
import { urlProblem } from '../certificate-urls.ts';
import { type IssuerContext, secretNamespaceOf, secretOfIssuer } from '../context.ts';
import type { IssuerType, SetUpResult, SignResult } from '../issuer.ts';
import { ended, quoted } from '../sentence.ts';
import { contentOf, validityFor } from '../signed-content.ts';

/** How soon a request is tried again whose signer's Secret has gone bad since the issuer was Ready. */
const retryAfterMs = 10_000;

/** Signs with a certificate authority whose certificate and key are in a Secret. */
export function caIssuer(context: IssuerContext): IssuerType {
  return {
    async setUp(issuer): Promise<SetUpResult> {
      const { secretName } = issuer.spec.ca ?? {};
      const problem = urlProblem('spec.ca', issuer.spec.ca);
      if (problem !== undefined)
        return { ready: false, reason: issuerReasons.invalidConfig, message: problem };
      try {
        const { chain, notAfterMs } = signingPair(context, issuer);
        checkChain(chain, secretName);
        return {
          ready: true,
          reason: issuerReasons.keyPairVerified,
          message: `The signing key pair in Secret ${quoted(secretName)} is usable.`,
          againAfterMs: notAfterMs - context.clock.now(),
        };
      } catch (error) {
        const isThere = findSecret(context, issuer) !== undefined;
        const reason = isThere ? issuerReasons.errInvalidKeyPair : issuerReasons.errGetKeyPair;
        return { ready: false, reason, message: messageOf(error) };
      }
    },

    async sign(issuer, signRequest): Promise<SignResult> {
      let pair: ReturnType<typeof signingPair>;
      try {
        pair = signingPair(context, issuer);
      } catch (error) {
        // The issuer says so itself in a moment, and brings the request back when it is mended.
        return { kind: 'pending', message: messageOf(error), afterMs: retryAfterMs };
      }
      const leaf = await signCertificate({
        ...contentOf(signRequest),
        ...validityFor(signRequest, context.clock.now(), pair),
        issuer: { certificate: pair.certificate, key: pair.key },
        crlDistributionPoints: issuer.spec.ca?.crlDistributionPoints ?? [],
        ocspServers: issuer.spec.ca?.ocspServers ?? [],
        issuingCertificateURLs: issuer.spec.ca?.issuingCertificateURLs ?? [],
      });
      const { chain, ca } = parseChain(leaf + pair.chain);
      return { kind: 'signed', chain, ca };
    },
  };
}

function findSecret(context: IssuerContext, issuer: Issuer): Secret | undefined {
  return secretOfIssuer(context, issuer, issuer.spec.ca?.secretName ?? '');
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
    throw unusable(`${where} of spec.ca.secretName holds no usable key pair: ${ended(fit.reason)}`);
  const certificate = parseCertificate(chain);
  if (!certificate.isCA) {
    throw unusable(
      `The certificate in ${where} of spec.ca.secretName is no certificate authority: it was not issued with isCA; put one there that was.`,
    );
  }
  if (context.clock.now() >= certificate.notAfterMs) {
    throw unusable(`The certificate authority in ${where} of spec.ca.secretName has expired; replace it.`);
  }
  const { notBeforeMs, notAfterMs } = certificate;
  return { certificate, chain, key: parsePrivateKey(privateKey), notBeforeMs, notAfterMs };
}

/** What stands beside the authority's own certificate must lead up from it: it goes into each chain that is made. */
function checkChain(chain: string, secretName: string | undefined): void {
  try {
    parseChain(chain);
  } catch (error) {
    throw unusable(
      `Secret ${quoted(secretName)} of spec.ca.secretName: ${ended(messageOf(error))} Put the authority's certificate into ${tlsCertificateKey}, then those above it, and nothing else.`,
    );
  }
}

function unusable(message: string): TerminalError {
  return new TerminalError(message, { code: 'CA_KEY_PAIR_UNUSABLE' });
}

function decoded(base64: string | undefined): string {
  return Buffer.from(base64 ?? '', 'base64').toString();
}
