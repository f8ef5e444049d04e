import type { KubeObject } from '../meta.ts';
import type { Resource } from '../resource.ts';

/** Core v1 Secret. */
export interface Secret extends KubeObject {
  /** `Opaque` where absent; `kubernetes.io/tls` for certificates. */
  type?: string | undefined;
  /** Values in base64. */
  data?: Record<string, string> | undefined;
  /** Values as text; only ever written, the API server moves them to `data`. */
  stringData?: Record<string, string> | undefined;
  immutable?: boolean | undefined;
}

export const secrets: Resource<Secret> = {
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  namespaced: true,
  hasStatus: false,
};

/** The Secret type for a certificate with its key. */
export const tlsSecretType = 'kubernetes.io/tls';
/** Keys of a TLS Secret's data. */
export const tlsCertificateKey = 'tls.crt';
export const tlsPrivateKeyKey = 'tls.key';
export const tlsCaKey = 'ca.crt';
