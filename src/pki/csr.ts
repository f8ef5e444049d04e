import type { KeyObject } from 'node:crypto';
import { AlgorithmIdentifier, BasicConstraints, type Extension, Extensions } from '@peculiar/asn1-x509';
import { remembering } from '../core/remembering.ts';
import {
  type AlternativeNames,
  type AlternativeNamesSpec,
  encodeAlternativeNames,
  noAlternativeNames,
  readAlternativeNames,
} from './alternative-names.ts';
import { Asn1Error, decode, encode } from './asn1.ts';
import { encodeCsr, encodeCsrInfo, readCsrParts } from './csr-frame.ts';
import { type DistinguishedName, readName } from './distinguished-name.ts';
import { PkiError } from './errors.ts';
import { extension, extensionsIn, readBasicConstraints } from './extensions.ts';
import {
  effectiveUsages,
  encodeExtendedKeyUsage,
  encodeKeyUsage,
  type KeyUsageName,
  readExtendedKeyUsage,
  readKeyUsage,
} from './key-usage.ts';
import { encodeNameConstraints, type NameConstraints, readNameConstraints } from './name-constraints.ts';
import { encodePem, parsePem } from './pem.ts';
import { type KeyKind, keyKindOf, publicKeyOf } from './private-key.ts';
import { publicKeyFrom, publicKeyInfoOf } from './public-key.ts';
import {
  algorithmIdentifier,
  chosenSignatureAlgorithm,
  type SignatureAlgorithm,
  signatureAlgorithmOf,
  signatureHolds,
  signatureOver,
} from './signature.ts';
import { commonNameOf, type SubjectSpec, subjectName } from './subject.ts';

/** What a request asks for; the fields are those of a Certificate's spec, so a spec can be given as it is. */
export interface CsrSpec extends SubjectSpec, AlternativeNamesSpec {
  readonly usages?: readonly string[] | undefined;
  readonly isCA?: boolean | undefined;
  /** Whether the usages stand in the request; default true. */
  readonly encodeUsagesInRequest?: boolean | undefined;
  readonly nameConstraints?: NameConstraints | undefined;
  /** Default: what suits the key. */
  readonly signatureAlgorithm?: SignatureAlgorithm | undefined;
}

/** A request that was read, and whose signature holds. */
export interface CsrInfo extends AlternativeNames {
  readonly pem: string;
  readonly der: Buffer;
  readonly subject: DistinguishedName;
  readonly commonName: string | undefined;
  /** The usages it asks for; empty where it names none. */
  readonly usages: readonly KeyUsageName[];
  readonly isCA: boolean;
  readonly nameConstraints: NameConstraints | undefined;
  readonly publicKey: KeyObject;
  readonly keyKind: KeyKind;
  /** What it is signed with. */
  readonly signatureAlgorithm: SignatureAlgorithm | undefined;
}

/**
 * Makes a certificate signing request (RFC 2986) for `key`, as PEM. Throws PKI_NAME_INVALID or
 * PKI_UNSUPPORTED, naming the field of the spec, for what cannot stand in one.
 */
export async function createCsr(spec: CsrSpec & { readonly key: KeyObject }): Promise<string> {
  const algorithm = chosenSignatureAlgorithm(spec.key, spec.signatureAlgorithm);
  const subject = subjectName(spec);
  const extensions = requestedExtensions(spec, subject.rdns.length === 0);
  const info = encodeCsrInfo({
    subject: subject.der,
    publicKeyInfo: publicKeyInfoOf(publicKeyOf(spec.key)),
    extensions: extensions.length === 0 ? undefined : encode(new Extensions(extensions)),
  });
  const signature = await signatureOver(info, spec.key, algorithm);
  const request = encodeCsr(info, encode(algorithmIdentifier(algorithm)), new Uint8Array(signature));
  return encodePem('CERTIFICATE REQUEST', request);
}

function requestedExtensions(spec: CsrSpec, subjectIsEmpty: boolean): Extension[] {
  const isCA = spec.isCA === true;
  const usages = spec.encodeUsagesInRequest === false ? [] : effectiveUsages(spec.usages, isCA);
  const constraints = spec.nameConstraints;
  return [
    ...extension('subjectAltName', subjectIsEmpty, encodeAlternativeNames(spec)),
    ...extension('keyUsage', true, encodeKeyUsage(usages)),
    ...extension('extKeyUsage', false, encodeExtendedKeyUsage(usages)),
    ...extension('basicConstraints', true, isCA ? encode(new BasicConstraints({ cA: true })) : undefined),
    ...extension(
      'nameConstraints',
      constraints?.critical === true,
      constraints && encodeNameConstraints(constraints),
    ),
  ];
}

/** Reads a request in PEM and checks that it is signed by the key inside it. Throws PKI_CSR_INVALID. */
export function parseCsr(pem: string | Buffer): CsrInfo {
  return parseOnce(pem.toString());
}

/** A request is looked at some ten times on its way to a certificate, and verifying it takes most of the time. */
const parseOnce = remembering(1_024, (text): CsrInfo => {
  const found = parsePem(text, 'PKI_CSR_INVALID').filter(({ label }) =>
    /^(?:NEW )?CERTIFICATE REQUEST$/.test(label),
  );
  const [only] = found;
  if (only === undefined || found.length > 1) {
    throw new PkiError(
      'PKI_CSR_INVALID',
      `expected one CERTIFICATE REQUEST in PEM form, found ${found.length}`,
    );
  }
  try {
    return readCsr(only.der);
  } catch (error) {
    if (error instanceof Asn1Error) {
      throw new PkiError(
        'PKI_CSR_INVALID',
        `the certificate signing request is damaged: ${error.message}`,
        error,
      );
    }
    throw error;
  }
});

function readCsr(bytes: Buffer): CsrInfo {
  const parts = readCsrParts(bytes);
  const publicKey = publicKeyFrom(parts.publicKeyInfo);
  const signatureAlgorithm = decode(parts.signatureAlgorithm, AlgorithmIdentifier);
  if (!signatureHolds(parts.signed, signatureAlgorithm, parts.signature, publicKey)) {
    throw new PkiError(
      'PKI_CSR_INVALID',
      'the signature of the certificate signing request does not fit its public key',
    );
  }
  const subject = readName(parts.subject);
  const read = extensionsIn(parts.extensions && decode(parts.extensions, Extensions));
  return {
    pem: encodePem('CERTIFICATE REQUEST', bytes),
    der: bytes,
    subject,
    commonName: commonNameOf(subject),
    ...(read('subjectAltName', readAlternativeNames) ?? noAlternativeNames),
    usages: [...(read('keyUsage', readKeyUsage) ?? []), ...(read('extKeyUsage', readExtendedKeyUsage) ?? [])],
    isCA: read('basicConstraints', readBasicConstraints) ?? false,
    nameConstraints: read('nameConstraints', readNameConstraints),
    publicKey,
    keyKind: keyKindOf(publicKey),
    signatureAlgorithm: signatureAlgorithmOf(signatureAlgorithm),
  };
}
