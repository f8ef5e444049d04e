import { certIdOf } from '../../acme/renewal-info.ts';
import { isInTreeIssuer, sameIssuer } from '../../api/cert-manager/issuer-ref.ts';
import { issuerOfAttempt, signerOf } from './issuer-turn.ts';
import { attemptOf, type CertificateState } from './state.ts';
import { isTemporary } from './temporary.ts';

/**
 * The CertID (RFC 9773) of the certificate that the next one takes the place of: the one in the Secret, where the same
 * issuer has signed it, for one of the names that are asked for now. Undefined where there is none.
 */
export function replacedCertId({ certificate, secret, pair }: CertificateState): string | undefined {
  const { dnsNames = [], ipAddresses = [] } = certificate.spec;
  const issuer = issuerOfAttempt(certificate, attemptOf(certificate));
  if (pair === undefined || !isInTreeIssuer(issuer) || !sameIssuer(signerOf(secret), issuer))
    return undefined;
  try {
    const { leaf } = pair;
    const wanted = new Set([...dnsNames, ...ipAddresses].map(name => name.toLowerCase()));
    const shared = [...leaf.dnsNames, ...leaf.ipAddresses].some(name => wanted.has(name.toLowerCase()));
    return shared && !isTemporary(leaf) ? certIdOf(leaf) : undefined;
  } catch {
    // What cannot be read has no predecessor's rights.
    return undefined;
  }
}
