import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { PkiError } from './errors.ts';
import { parsePem } from './pem.ts';

/** The algorithms a Certificate may ask for, as `spec.privateKey.algorithm` spells them. */
export type KeyAlgorithm = 'RSA' | 'ECDSA' | 'Ed25519';

/** What a private key is to be. `size` in bits: RSA 2048 to 8192 (default 2048), ECDSA 256, 384 or 521 (default 256). */
export interface KeySpec {
  readonly algorithm?: KeyAlgorithm | undefined;
  readonly size?: number | undefined;
}

/** How a private key is written: PKCS#1 for RSA and SEC 1 for ECDSA, or PKCS#8 for any. */
export type KeyEncoding = 'PKCS1' | 'PKCS8';

/** A key's algorithm and size; `algorithm` is `unknown` for kinds that Postern does not issue for. */
export interface KeyKind {
  readonly algorithm: KeyAlgorithm | 'unknown';
  /** Bits of the modulus or curve; undefined where the algorithm has one size only. */
  readonly size: number | undefined;
}

const curveSize: Readonly<Record<string, number>> = { prime256v1: 256, secp384r1: 384, secp521r1: 521 };

/** `spec` with its defaults put in; throws PKI_UNSUPPORTED for a size the algorithm does not have. */
function resolved(spec: KeySpec): { algorithm: KeyAlgorithm; size: number } {
  const algorithm = spec.algorithm ?? 'RSA';
  if (algorithm === 'Ed25519') return { algorithm, size: 256 };
  const size = spec.size === undefined || spec.size === 0 ? (algorithm === 'RSA' ? 2048 : 256) : spec.size;
  if (algorithm === 'RSA' && (size < 2048 || size > 8192 || !Number.isInteger(size))) {
    throw new PkiError('PKI_UNSUPPORTED', `an RSA key of size ${size} is not possible; use 2048 to 8192`);
  }
  if (algorithm === 'ECDSA' && !Object.values(curveSize).includes(size)) {
    throw new PkiError(
      'PKI_UNSUPPORTED',
      `an ECDSA key of size ${size} is not possible; use 256, 384 or 521`,
    );
  }
  if (algorithm !== 'RSA' && algorithm !== 'ECDSA') {
    throw new PkiError(
      'PKI_UNSUPPORTED',
      `key algorithm ${JSON.stringify(algorithm)} is unknown; use RSA, ECDSA or Ed25519`,
    );
  }
  return { algorithm, size };
}

/** Makes a new private key, off the main thread. */
export function generatePrivateKey(spec: KeySpec = {}): Promise<KeyObject> {
  return new Promise((resolve, reject) => {
    const { algorithm, size } = resolved(spec);
    const made = (error: Error | null, _publicKey: KeyObject, privateKey: KeyObject): void =>
      error === null ? resolve(privateKey) : reject(error);
    if (algorithm === 'RSA') generateKeyPair('rsa', { modulusLength: size, publicExponent: 0x10001 }, made);
    else if (algorithm === 'ECDSA') generateKeyPair('ec', { namedCurve: `P-${size}` }, made);
    else generateKeyPair('ed25519', {}, made);
  });
}

/** The key as PEM. PKCS1 gives `RSA PRIVATE KEY` or `EC PRIVATE KEY`; Ed25519 has PKCS#8 only (RFC 8410). */
export function encodePrivateKey(key: KeyObject, encoding: KeyEncoding = 'PKCS1'): string {
  const kind = key.asymmetricKeyType;
  const type =
    encoding === 'PKCS8' || (kind !== 'rsa' && kind !== 'ec') ? 'pkcs8' : kind === 'rsa' ? 'pkcs1' : 'sec1';
  return key.export({ format: 'pem', type });
}

/**
 * Reads an unencrypted private key in PEM: PKCS#1, SEC 1 or PKCS#8. Throws PKI_KEY_INVALID; the message
 * holds nothing of the key.
 */
export function parsePrivateKey(pem: string | Buffer): KeyObject {
  const blocks = parsePem(pem.toString(), 'PKI_KEY_INVALID');
  const found = blocks.find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (found === undefined) throw new PkiError('PKI_KEY_INVALID', 'there is no private key in PEM form');
  const type = keyTypes[found.label];
  if (type === undefined) {
    const hint = found.label.startsWith('ENCRYPTED')
      ? 'store the key without a passphrase'
      : 'use PKCS#1, SEC 1 or PKCS#8';
    throw new PkiError('PKI_KEY_INVALID', `a key in a block "${found.label}" cannot be read; ${hint}`);
  }
  try {
    return createPrivateKey({ key: found.der, format: 'der', type });
  } catch {
    // The cause is left out on purpose: OpenSSL's message may quote what it read.
    throw new PkiError('PKI_KEY_INVALID', 'the private key is damaged: it does not decode');
  }
}

const keyTypes: Readonly<Record<string, 'pkcs1' | 'sec1' | 'pkcs8' | undefined>> = {
  'RSA PRIVATE KEY': 'pkcs1',
  'EC PRIVATE KEY': 'sec1',
  'PRIVATE KEY': 'pkcs8',
};

/** The algorithm and size of a private or public key. */
export function keyKindOf(key: KeyObject): KeyKind {
  const details = key.asymmetricKeyDetails;
  if (key.asymmetricKeyType === 'rsa') return { algorithm: 'RSA', size: details?.modulusLength };
  if (key.asymmetricKeyType === 'ed25519') return { algorithm: 'Ed25519', size: undefined };
  const size = key.asymmetricKeyType === 'ec' ? curveSize[details?.namedCurve ?? ''] : undefined;
  return size === undefined ? { algorithm: 'unknown', size: undefined } : { algorithm: 'ECDSA', size };
}

/** Where a key, or that of a certificate, is not what `spec` asks for: a sentence that says so. Else undefined. */
export function keySpecMismatch(
  key: KeyObject | { readonly keyKind: KeyKind; readonly publicKey: KeyObject },
  spec: KeySpec,
): string | undefined {
  const wanted = resolved(spec);
  const kind = 'keyKind' in key ? key.keyKind : keyKindOf(key);
  if (kind.algorithm !== wanted.algorithm) {
    const { asymmetricKeyType } = 'keyKind' in key ? key.publicKey : key;
    const found = kind.algorithm === 'unknown' ? asymmetricKeyType : kind.algorithm;
    return `the private key's algorithm is ${found}, the spec asks for ${wanted.algorithm}`;
  }
  if (kind.size !== undefined && kind.size !== wanted.size) {
    return `the private key's size is ${kind.size}, the spec asks for ${wanted.size}`;
  }
  return undefined;
}

/** The public half of a private key; a public key is given back as it is. */
export function publicKeyOf(key: KeyObject): KeyObject {
  return key.type === 'public' ? key : createPublicKey(key);
}

/** Whether two keys, each private or public, are of one pair. */
export function samePublicKey(a: KeyObject, b: KeyObject): boolean {
  return publicKeyOf(a).equals(publicKeyOf(b));
}
