import { PosternError } from '../core/errors.ts';

/** What was wrong with a key, a name, a certificate or a request. */
export type PkiErrorCode =
  /** A private key that cannot be read, or that does not do what it is asked for. */
  | 'PKI_KEY_INVALID'
  /** A certificate that cannot be read. */
  | 'PKI_CERTIFICATE_INVALID'
  /** Certificates that do not form one chain. */
  | 'PKI_CHAIN_INVALID'
  /** A certificate signing request that cannot be read, or whose signature does not hold. */
  | 'PKI_CSR_INVALID'
  /** A distinguished name, DNS name, IP address, URI or e-mail address that cannot stand in a certificate. */
  | 'PKI_NAME_INVALID'
  /** An algorithm, size, usage or format that Postern does not know. */
  | 'PKI_UNSUPPORTED';

/** An error about given key material or names: trying again changes nothing, so `retry` is `never`. */
export class PkiError extends PosternError {
  declare readonly code: PkiErrorCode;

  constructor(code: PkiErrorCode, message: string, cause?: unknown) {
    super(message, { code, retry: 'never', cause });
  }
}
