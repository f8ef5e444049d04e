import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { childrenOf, DerError, readBitString, readDer } from './der/read.ts';

/** Reads a SubjectPublicKeyInfo. Throws DerError where OpenSSL does not take it. */
export function readPublicKey(spki: Buffer): KeyObject {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch {
    throw new DerError('a public key that cannot be read');
  }
}

/** The identifier of a public key: the leftmost 160 bits of the SHA-256 of its bits (RFC 7093 section 2, method 1). */
export function keyIdentifier(publicKey: KeyObject): Buffer {
  const [, bits] = childrenOf(readDer(publicKey.export({ format: 'der', type: 'spki' })));
  return createHash('sha256').update(readBitString(bits).bytes).digest().subarray(0, 20);
}
