import type { Certificate } from '../../api/cert-manager/certificate.ts';
import type { CertificateRequest } from '../../api/cert-manager/certificate-request.ts';
import type { Secret } from '../../api/kubernetes/secret.ts';
import type { RenewalAdvice } from '../../issuers/acme/renewal-windows.ts';
import type { IssuerSecret } from '../issuer-secrets.ts';
import type { KeystorePasswords } from './keystore-passwords.ts';
import type { StoredPair } from './stored-pair.ts';

/** All that is known of one Certificate, gathered from the caches. */
export interface CertificateState {
  readonly certificate: Certificate;
  /** The Secret that `spec.secretName` names. */
  readonly secret: Secret | undefined;
  /** What is in that Secret. */
  readonly pair: StoredPair | undefined;
  /** For the keystores that the spec asks for. */
  readonly passwords: KeystorePasswords;
  /** Another Certificate that has the better claim to that Secret. */
  readonly rival: Certificate | undefined;
  /** Whether other Certificates name that Secret too. */
  readonly isShared: boolean;
  /** What issuers name that Secret for. */
  readonly issuerUses: readonly IssuerSecret[];
  /** The Secret with the private key of the issuance under way. */
  readonly nextKey: Secret | undefined;
  /** Secrets with private keys of issuances that are over. */
  readonly strayKeys: readonly Secret[];
  /** The request of the present revision. */
  readonly currentRequest: CertificateRequest | undefined;
  /** The request of the revision that is being issued. */
  readonly nextRequest: CertificateRequest | undefined;
  /** Requests of earlier revisions, newest first. */
  readonly oldRequests: readonly CertificateRequest[];
  /** When the ACME server would like the certificate to be renewed. */
  readonly renewalAdvice: RenewalAdvice;
}

/** The revision that `status.revision` says, or 0 before the first. */
export function revisionOf(certificate: Certificate): number {
  return certificate.status?.revision ?? 0;
}

/** The number of the try at the next revision, counted from 1. */
export function attemptOf(certificate: Certificate): number {
  return (certificate.status?.failedIssuanceAttempts ?? 0) + 1;
}
