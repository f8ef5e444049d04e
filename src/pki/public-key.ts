import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { SubjectPublicKeyInfo } from '@peculiar/asn1-x509';
import { damaged, decode, encode } from './asn1.ts';

/** The key of a SubjectPublicKeyInfo. Throws Asn1Error where OpenSSL does not take it. */
export function publicKeyFrom(info: SubjectPublicKeyInfo): KeyObject {
  try {
    return createPublicKey({ key: encode(info), format: 'der', type: 'spki' });
  } catch {
    return damaged('a public key that cannot be read');
  }
}

/** The SubjectPublicKeyInfo of a key. */
export function publicKeyInfo(publicKey: KeyObject): SubjectPublicKeyInfo {
  return decode(publicKey.export({ format: 'der', type: 'spki' }), SubjectPublicKeyInfo);
}

/** The identifier of a public key: the leftmost 160 bits of the SHA-256 of its bits (RFC 7093 section 2, method 1). */
export function keyIdentifier(publicKey: KeyObject): Buffer {
  const { subjectPublicKey } = publicKeyInfo(publicKey);
  return createHash('sha256').update(Buffer.from(subjectPublicKey)).digest().subarray(0, 20);
}
