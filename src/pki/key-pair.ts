import { createHash, type KeyObject } from 'node:crypto';
import { messageOf } from '../core/errors.ts';
import { LruMap } from '../core/lru.ts';
import { parseCertificate } from './certificate.ts';
import { publicKeyInfoIn } from './certificate-key.ts';
import { publicKeyInfoOfEcKey } from './ec-key-point.ts';
import { parsePem } from './pem.ts';
import { parsePrivateKey, samePublicKey } from './private-key.ts';

/** What came of holding a private key against a certificate; `reason` is a sentence without any of the key. */
export type KeyPairVerdict =
  | { readonly verdict: 'fits' }
  | { readonly verdict: 'key-invalid' | 'certificate-invalid' | 'mismatch'; readonly reason: string };

/** A certificate, as far as it is held against a key. Reading `publicKey` may throw. */
export interface KeyedCertificate {
  readonly der: Buffer;
  readonly publicKey: KeyObject;
}

/** Whether `tls.key` is readable, `tls.crt` is readable, and its first certificate is for that key; in this order. Never throws. */
export function keyFitsCertificate(keyPem: string | Buffer, certificatePem: string | Buffer): KeyPairVerdict {
  return pairVerdict(keyPem.toString(), () => parseCertificate(certificatePem));
}

/** Digests of the pairs that were found to fit: what the controllers have checked, the edge need not, and the other way. */
let fitting = new LruMap<string, true>(16_384);
let forgetting: NodeJS.Timeout | undefined;
const forgottenAfterMs = 60_000;

/** The same for a certificate that is still to be read. Never throws. */
export function pairVerdict(keyPem: string, readCertificate: () => KeyedCertificate): KeyPairVerdict {
  const certificate = attempt(readCertificate);
  if ('reason' in certificate) {
    const key = attempt(() => parsePrivateKey(keyPem));
    if ('reason' in key) return { verdict: 'key-invalid', reason: key.reason };
    return { verdict: 'certificate-invalid', reason: certificate.reason };
  }
  const { value } = certificate;
  const id = createHash('sha256').update(value.der).update(keyPem).digest('base64');
  if (fitting.get(id) === true) return { verdict: 'fits' };
  const found = isPlainPair(keyPem, value.der) ? { verdict: 'fits' as const } : slowVerdict(keyPem, value);
  if (found.verdict === 'fits') {
    fitting.set(id, true);
    forgetting ??= setTimeout(forget, forgottenAfterMs).unref();
  }
  return found;
}

function forget(): void {
  fitting = new LruMap(16_384);
  forgetting = undefined;
}

/** Whether the key is an ECDSA key of the usual form, and the certificate is for it. False says nothing. */
function isPlainPair(keyPem: string, certificate: Buffer): boolean {
  try {
    const key = parsePem(keyPem, 'PKI_KEY_INVALID').find(({ label }) => label.endsWith('PRIVATE KEY'));
    if (key?.label !== 'EC PRIVATE KEY') return false;
    const info = publicKeyInfoOfEcKey(key.der);
    return info !== undefined && publicKeyInfoIn(certificate)?.equals(info) === true;
  } catch {
    return false;
  }
}

function slowVerdict(keyPem: string, certificate: KeyedCertificate): KeyPairVerdict {
  const key = attempt(() => parsePrivateKey(keyPem));
  if ('reason' in key) return { verdict: 'key-invalid', reason: key.reason };
  const publicKey = attempt(() => certificate.publicKey);
  if ('reason' in publicKey) return { verdict: 'certificate-invalid', reason: publicKey.reason };
  return samePublicKey(key.value, publicKey.value)
    ? { verdict: 'fits' }
    : { verdict: 'mismatch', reason: 'the private key does not belong to the certificate' };
}

function attempt<T>(read: () => T): { value: T } | { reason: string } {
  try {
    return { value: read() };
  } catch (error) {
    return { reason: messageOf(error) };
  }
}
