import type { KeyObject } from 'node:crypto';
import {
  type AlternativeNames,
  type AlternativeNamesSpec,
  encodeAlternativeNames,
  noAlternativeNames,
  readAlternativeNames,
} from './alternative-names.ts';
import { oidText } from './der/oid.ts';
import { childrenOf, DerError, type DerValue, expectTag, readDer } from './der/read.ts';
import { context, integer, objectIdentifier, sequence, setOf } from './der/write.ts';
import { type DistinguishedName, readName } from './distinguished-name.ts';
import { PkiError } from './errors.ts';
import {
  type Extension,
  encodeBasicConstraints,
  encodeExtensions,
  extension,
  extensionOids,
  readBasicConstraints,
  readExtensions,
} from './extensions.ts';
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
import { readPublicKey } from './public-key.ts';
import {
  chosenSignatureAlgorithm,
  readSigned,
  type SignatureAlgorithm,
  signatureHolds,
  signedSequence,
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
}

const extensionRequest = '1.2.840.113549.1.9.14';

/**
 * Makes a certificate signing request (RFC 2986) for `key`, as PEM. Throws PKI_NAME_INVALID or
 * PKI_UNSUPPORTED, naming the field of the spec, for what cannot stand in one.
 */
export async function createCsr(spec: CsrSpec & { readonly key: KeyObject }): Promise<string> {
  const algorithm = chosenSignatureAlgorithm(spec.key, spec.signatureAlgorithm);
  const subject = subjectName(spec);
  const extensions = requestedExtensions(spec, subject.rdns.length === 0);
  const attributes =
    extensions.length === 0
      ? []
      : [sequence(objectIdentifier(extensionRequest), setOf(encodeExtensions(extensions)))];
  const publicKey = publicKeyOf(spec.key).export({ format: 'der', type: 'spki' });
  const info = sequence(integer(0), subject.der, publicKey, context(0, ...attributes));
  return encodePem('CERTIFICATE REQUEST', await signedSequence(info, spec.key, algorithm));
}

function requestedExtensions(spec: CsrSpec, subjectIsEmpty: boolean): Extension[] {
  const isCA = spec.isCA === true;
  const usages = spec.encodeUsagesInRequest === false ? [] : effectiveUsages(spec.usages, isCA);
  const constraints = spec.nameConstraints;
  return [
    ...extension('subjectAltName', subjectIsEmpty, encodeAlternativeNames(spec)),
    ...extension('keyUsage', true, encodeKeyUsage(usages)),
    ...extension('extKeyUsage', false, encodeExtendedKeyUsage(usages)),
    ...extension('basicConstraints', true, isCA ? encodeBasicConstraints(true) : undefined),
    ...(constraints === undefined
      ? []
      : extension('nameConstraints', constraints.critical === true, encodeNameConstraints(constraints))),
  ];
}

/** Reads a request in PEM and checks that it is signed by the key inside it. Throws PKI_CSR_INVALID. */
export function parseCsr(pem: string | Buffer): CsrInfo {
  const text = pem.toString();
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
    if (error instanceof DerError) {
      throw new PkiError(
        'PKI_CSR_INVALID',
        `the certificate signing request is damaged: ${error.message}`,
        error,
      );
    }
    throw error;
  }
}

function readCsr(bytes: Buffer): CsrInfo {
  const { tbs, algorithmOid, signature } = readSigned(readDer(bytes));
  const [version, subject, spki, attributes] = childrenOf(tbs);
  if (!expectTag(version, 0x02).content.equals(Buffer.of(0))) throw new DerError('an unknown version');
  const publicKey = readPublicKey(expectTag(spki, 0x30).raw);
  if (!signatureHolds(tbs.raw, algorithmOid, signature, publicKey)) {
    throw new PkiError(
      'PKI_CSR_INVALID',
      'the signature of the certificate signing request does not fit its public key',
    );
  }
  const name = readName(expectTag(subject, 0x30).raw);
  const extensions = extensionsIn(expectTag(attributes, 0xa0));
  const valueOf = (oid: keyof typeof extensionOids): Buffer | undefined =>
    extensions.get(extensionOids[oid])?.value;
  const read = <T>(value: Buffer | undefined, reader: (value: Buffer) => T): T | undefined =>
    value === undefined ? undefined : reader(value);
  const constraints = extensions.get(extensionOids.nameConstraints);
  return {
    pem: encodePem('CERTIFICATE REQUEST', bytes),
    der: bytes,
    subject: name,
    commonName: commonNameOf(name),
    ...(read(valueOf('subjectAltName'), readAlternativeNames) ?? noAlternativeNames),
    usages: [
      ...(read(valueOf('keyUsage'), readKeyUsage) ?? []),
      ...(read(valueOf('extKeyUsage'), readExtendedKeyUsage) ?? []),
    ],
    isCA: read(valueOf('basicConstraints'), readBasicConstraints) ?? false,
    nameConstraints:
      constraints === undefined ? undefined : readNameConstraints(constraints.value, constraints.critical),
    publicKey,
    keyKind: keyKindOf(publicKey),
  };
}

function extensionsIn(attributes: DerValue): ReadonlyMap<string, Extension> {
  for (const attribute of childrenOf(attributes)) {
    const [type, values] = childrenOf(expectTag(attribute, 0x30));
    if (oidText(expectTag(type, 0x06).content) !== extensionRequest) continue;
    const [list] = childrenOf(expectTag(values, 0x31));
    if (list !== undefined) return readExtensions(list);
  }
  return new Map();
}
