import { type KeyObject, sign, verify } from 'node:crypto';
import { promisify } from 'node:util';
import { AlgorithmIdentifier } from '@peculiar/asn1-x509';
import { PkiError } from './errors.ts';
import { type KeyAlgorithm, keyKindOf } from './private-key.ts';

const algorithms = {
  SHA256WithRSA: { oid: '1.2.840.113549.1.1.11', key: 'RSA', hash: 'sha256' },
  SHA384WithRSA: { oid: '1.2.840.113549.1.1.12', key: 'RSA', hash: 'sha384' },
  SHA512WithRSA: { oid: '1.2.840.113549.1.1.13', key: 'RSA', hash: 'sha512' },
  ECDSAWithSHA256: { oid: '1.2.840.10045.4.3.2', key: 'ECDSA', hash: 'sha256' },
  ECDSAWithSHA384: { oid: '1.2.840.10045.4.3.3', key: 'ECDSA', hash: 'sha384' },
  ECDSAWithSHA512: { oid: '1.2.840.10045.4.3.4', key: 'ECDSA', hash: 'sha512' },
  PureEd25519: { oid: '1.3.101.112', key: 'Ed25519', hash: null },
} as const satisfies Record<string, { oid: string; key: KeyAlgorithm; hash: string | null }>;

/** A signature algorithm as `spec.signatureAlgorithm` of a Certificate spells it. */
export type SignatureAlgorithm = keyof typeof algorithms;

/** Every signature algorithm there is. */
export const signatureAlgorithms = Object.keys(algorithms) as readonly SignatureAlgorithm[];

/** The algorithm that suits a key: SHA-256 for RSA and P-256, as strong as the curve for the others. Throws PKI_UNSUPPORTED. */
export function signatureAlgorithmFor(key: KeyObject): SignatureAlgorithm {
  const { algorithm, size } = keyKindOf(key);
  if (algorithm === 'RSA') return 'SHA256WithRSA';
  if (algorithm === 'Ed25519') return 'PureEd25519';
  if (algorithm === 'unknown') {
    throw new PkiError(
      'PKI_UNSUPPORTED',
      `keys of type ${key.asymmetricKeyType} cannot sign certificates here; use RSA, ECDSA or Ed25519`,
    );
  }
  return size === 521 ? 'ECDSAWithSHA512' : size === 384 ? 'ECDSAWithSHA384' : 'ECDSAWithSHA256';
}

/** The algorithm to sign with: `wanted`, or what suits the key. Throws PKI_UNSUPPORTED where the key cannot. */
export function chosenSignatureAlgorithm(
  key: KeyObject,
  wanted: SignatureAlgorithm | undefined,
): SignatureAlgorithm {
  const suited = signatureAlgorithmFor(key);
  const mismatch =
    wanted === undefined ? undefined : signatureAlgorithmMismatch(wanted, algorithms[suited].key);
  if (mismatch !== undefined) throw new PkiError('PKI_UNSUPPORTED', mismatch);
  return wanted ?? suited;
}

/** Where a key cannot make signatures of `wanted`: a sentence that says so. Else undefined. */
export function signatureAlgorithmMismatch(
  wanted: SignatureAlgorithm,
  algorithm: KeyAlgorithm,
): string | undefined {
  const needs: string | undefined = Object.hasOwn(algorithms, wanted) ? algorithms[wanted].key : undefined;
  if (needs === undefined)
    return `signatureAlgorithm ${JSON.stringify(wanted)} is unknown; use one of ${signatureAlgorithms.join(', ')}`;
  return needs === algorithm
    ? undefined
    : `signatureAlgorithm ${wanted} needs a key of algorithm ${needs}, this one is ${algorithm}`;
}

/** The AlgorithmIdentifier (RFC 8017 appendix A.2: NULL parameters for RSA; RFC 5758, RFC 8410: none). */
export function algorithmIdentifier(algorithm: SignatureAlgorithm): AlgorithmIdentifier {
  const { oid, key } = algorithms[algorithm];
  return new AlgorithmIdentifier({ algorithm: oid, ...(key === 'RSA' && { parameters: null }) });
}

const signOffThread = promisify(sign);

/** The signature over `bytes`, made off the main thread. Throws PKI_KEY_INVALID. */
export async function signatureOver(
  bytes: Uint8Array,
  key: KeyObject,
  algorithm: SignatureAlgorithm,
): Promise<ArrayBuffer> {
  const { hash } = algorithms[algorithm];
  const signature = await signOffThread(hash, bytes, key).catch((error: unknown) => {
    throw new PkiError('PKI_KEY_INVALID', 'the private key cannot sign', error);
  });
  return new Uint8Array(signature).buffer;
}

/** The algorithm of an AlgorithmIdentifier; undefined where it is none of the above. */
export function signatureAlgorithmOf({ algorithm }: AlgorithmIdentifier): SignatureAlgorithm | undefined {
  return signatureAlgorithms.find(name => algorithms[name].oid === algorithm);
}

/** Whether `signature` over `bytes` was made by the private half of `publicKey`, with one of the algorithms above. */
export function signatureHolds(
  bytes: Buffer,
  identifier: AlgorithmIdentifier,
  signature: Buffer,
  publicKey: KeyObject,
): boolean {
  const name = signatureAlgorithmOf(identifier);
  if (name === undefined) return false;
  const known = algorithms[name];
  if (known.key !== keyKindOf(publicKey).algorithm) return false;
  try {
    return verify(known.hash, bytes, publicKey, signature);
  } catch {
    return false;
  }
}
