import type { KeyObject } from 'node:crypto';
import { messageOf } from '../core/errors.ts';
import { parseCertificate } from './certificate.ts';
import { parsePrivateKey, samePublicKey } from './private-key.ts';

/** What came of holding a private key against a certificate; `reason` is a sentence without any of the key. */
export type KeyPairVerdict =
  | { readonly verdict: 'fits' }
  | { readonly verdict: 'key-invalid' | 'certificate-invalid' | 'mismatch'; readonly reason: string };

/** Whether `tls.key` is readable, `tls.crt` is readable, and its first certificate is for that key; in this order. Never throws. */
export function keyFitsCertificate(keyPem: string | Buffer, certificatePem: string | Buffer): KeyPairVerdict {
  return pairVerdict(
    () => parsePrivateKey(keyPem),
    () => parseCertificate(certificatePem).publicKey,
  );
}

/** The same for a key and a certificate's public key that are still to be read. Never throws. */
export function pairVerdict(readKey: () => KeyObject, readPublicKey: () => KeyObject): KeyPairVerdict {
  const key = attempt(readKey);
  if ('reason' in key) return { verdict: 'key-invalid', reason: key.reason };
  const publicKey = attempt(readPublicKey);
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
