import type { KeyObject } from 'node:crypto';
import { type Secret, tlsCaKey, tlsCertificateKey, tlsPrivateKeyKey } from '../../api/kubernetes/secret.ts';
import { LruMap } from '../../core/lru.ts';
import { type CertificateInfo, parseCertificate } from '../../pki/certificate.ts';
import { type KeyPairVerdict, pairVerdict } from '../../pki/key-pair.ts';
import { parsePrivateKey } from '../../pki/private-key.ts';

/** One value of a Secret, decoded; undefined where it is missing or empty. */
export function secretText(secret: Secret, name: string): string | undefined {
  const encoded = secret.data?.[name];
  if (encoded === undefined || encoded === '') return undefined;
  return Buffer.from(encoded, 'base64').toString();
}

/**
 * A Certificate is looked at some five times on its way, in a burst with a thousand others between. After it they would be
 * memory for nothing: what OpenSSL holds of a certificate is ten times its size.
 */
let recent = new LruMap<Secret, StoredPair>(1_024);
let forgetting: NodeJS.Timeout | undefined;
const forgottenAfterMs = 60_000;

/** What is in a Secret; the same for the same object from the cache, for as long as it is remembered. */
export function pairIn(secret: Secret): StoredPair {
  const known = recent.get(secret);
  if (known !== undefined) return known;
  const made = new StoredPair(secret);
  recent.set(secret, made);
  forgetting ??= setTimeout(forget, forgottenAfterMs).unref();
  return made;
}

function forget(): void {
  recent = new LruMap(1_024);
  forgetting = undefined;
}

/** What is in the Secret of a Certificate. Read when first asked for, and then kept: reading is most of the work. */
export class StoredPair {
  /** PEM; undefined where there is none. */
  readonly privateKey: string | undefined;
  readonly chain: string | undefined;
  readonly ca: string | undefined;
  #fit: KeyPairVerdict | undefined;
  #leaf: CertificateInfo | undefined;
  #key: KeyObject | undefined;

  constructor(secret: Secret) {
    this.privateKey = secretText(secret, tlsPrivateKeyKey);
    this.chain = secretText(secret, tlsCertificateKey);
    this.ca = secretText(secret, tlsCaKey);
  }

  /** Whether key and certificate are readable and belong together. */
  get fit(): KeyPairVerdict {
    return (this.#fit ??= pairVerdict(this.privateKey ?? '', () => this.leaf));
  }

  /** The certificate. Throws a PkiError where there is none that parses. */
  get leaf(): CertificateInfo {
    return (this.#leaf ??= parseCertificate(this.chain ?? ''));
  }

  /** The private key. Throws a PkiError where there is none that parses. */
  get key(): KeyObject {
    return (this.#key ??= parsePrivateKey(this.privateKey ?? ''));
  }
}
