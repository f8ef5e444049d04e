import type { CertificateRequest } from '../api/cert-manager/certificate-request.ts';
import type { Issuer, IssuerStatus } from '../api/cert-manager/issuer.ts';
import type { CsrInfo } from '../pki/csr.ts';

/** What came of asking an issuer for a signature. */
export type SignResult =
  | {
      readonly kind: 'signed';
      /** PEM: the leaf first, then its intermediates. */
      readonly chain: string;
      /** PEM: the certificate to trust, where the issuer knows it. */
      readonly ca: string | undefined;
    }
  /**
   * Not yet. It is asked again when something it watches changes, and after `afterMs` where given. `isProgress`: all goes
   * its way, as far as it is known.
   */
  | {
      readonly kind: 'pending';
      readonly message: string;
      readonly afterMs?: number | undefined;
      readonly isProgress?: boolean | undefined;
    }
  /** Never: this request cannot be signed as it is. */
  | { readonly kind: 'failed'; readonly message: string };

/** Whether an issuer can sign, for its Ready condition. */
export interface SetUpResult {
  readonly ready: boolean;
  readonly reason: string;
  readonly message: string;
  /** What else of the status it keeps. */
  readonly status?: Pick<IssuerStatus, 'acme'> | undefined;
  /** When to look again although nothing changed. */
  readonly againAfterMs?: number | undefined;
}

/** A request with its CSR, parsed and verified. */
export interface SignRequest {
  readonly request: CertificateRequest;
  readonly csr: CsrInfo;
}

/**
 * A way to sign: ACME, CA, self-signed. Both calls are idempotent and keep their state in API objects alone, so
 * that they may be repeated by another process at any point. What can never succeed is a `failed` result or
 * `ready: false`; what may succeed later is thrown as an error and tried again.
 */
export interface IssuerType {
  setUp(issuer: Issuer, signal: AbortSignal): Promise<SetUpResult>;
  /** Called only for approved requests, and only while the issuer is Ready. */
  sign(issuer: Issuer, request: SignRequest, signal: AbortSignal): Promise<SignResult>;
}
