import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { SubjectPublicKeyInfo } from '@peculiar/asn1-x509';
import { damaged, decode } from './asn1.ts';

/** The key of an encoded SubjectPublicKeyInfo. Throws Asn1Error where OpenSSL does not take it. */
export function publicKeyFrom(info: Uint8Array): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(info), format: 'der', type: 'spki' });
  } catch {
    return damaged('a public key that cannot be read');
  }
}

/** The SubjectPublicKeyInfo of a key, encoded. */
export function publicKeyInfoOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ format: 'der', type: 'spki' });
}

/** The same as a value of the schema. */
export function publicKeyInfo(publicKey: KeyObject): SubjectPublicKeyInfo {
  return decode(publicKeyInfoOf(publicKey), SubjectPublicKeyInfo);
}

/** The identifier of a public key: the leftmost 160 bits of the SHA-256 of its bits (RFC 7093 section 2, method 1). */
export function keyIdentifier(publicKey: KeyObject): Buffer {
  const { subjectPublicKey } = publicKeyInfo(publicKey);
  return createHash('sha256').update(Buffer.from(subjectPublicKey)).digest().subarray(0, 20);
}
