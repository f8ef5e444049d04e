import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import type { ClientCertificate } from '../policy/request-head.ts';
import type { ClientCertificatePolicy } from '../policy/route-policy.ts';
import { distinguishedName } from './distinguished-name.ts';

/**
 * The client's certificate as the TLS library judged it against the policy's authorities and revocation lists in this very
 * handshake, and by its chain's length. A handshake with a resumed session judged nothing: it counts as none.
 */
export function clientCertificateOf(socket: TLSSocket, policy: ClientCertificatePolicy): ClientCertificate {
  const certificate = socket.isSessionReused() ? undefined : socket.getPeerX509Certificate();
  if (certificate === undefined) {
    return { policy: policy.id, verified: 'NONE', subject: '', issuer: '', pem: '' };
  }
  return {
    policy: policy.id,
    verified: verdict(socket, policy),
    subject: distinguishedName(certificate.subject),
    issuer: distinguishedName(certificate.issuer),
    pem: certificate.toString(),
  };
}

function verdict(socket: TLSSocket, policy: ClientCertificatePolicy): string {
  if (!socket.authorized) return `FAILED:${reasonOf(String(socket.authorizationError))}`;
  return intermediatesOf(socket.getPeerCertificate(true)) > policy.depth
    ? 'FAILED:certificate chain too long'
    : 'SUCCESS';
}

/** The certificates between leaf and root, which is what OpenSSL's depth counts. */
function intermediatesOf(leaf: DetailedPeerCertificate): number {
  const seen = new Set<string>([leaf.fingerprint256]);
  let certificate = leaf.issuerCertificate;
  while (certificate !== undefined && !seen.has(certificate.fingerprint256)) {
    seen.add(certificate.fingerprint256);
    certificate = certificate.issuerCertificate;
  }
  return Math.max(0, seen.size - 2);
}

/** OpenSSL's sentences for the codes that Node gives, as nginx passes them on. */
const reasons: Readonly<Record<string, string>> = {
  UNABLE_TO_GET_ISSUER_CERT: 'unable to get issuer certificate',
  UNABLE_TO_GET_CRL: 'unable to get certificate CRL',
  CERT_SIGNATURE_FAILURE: 'certificate signature failure',
  CRL_SIGNATURE_FAILURE: 'CRL signature failure',
  CERT_NOT_YET_VALID: 'certificate is not yet valid',
  CERT_HAS_EXPIRED: 'certificate has expired',
  CRL_NOT_YET_VALID: 'CRL is not yet valid',
  CRL_HAS_EXPIRED: 'CRL has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'self-signed certificate in certificate chain',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unable to get local issuer certificate',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unable to verify the first certificate',
  CERT_CHAIN_TOO_LONG: 'certificate chain too long',
  CERT_REVOKED: 'certificate revoked',
  INVALID_CA: 'invalid CA certificate',
  PATH_LENGTH_EXCEEDED: 'path length constraint exceeded',
  INVALID_PURPOSE: 'unsuitable certificate purpose',
  CERT_UNTRUSTED: 'certificate not trusted',
  CERT_REJECTED: 'certificate rejected',
};

function reasonOf(code: string): string {
  return reasons[code] ?? code;
}
