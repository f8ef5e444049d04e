import { type KeyObject, randomBytes } from 'node:crypto';
import { type AlternativeNamesSpec, encodeAlternativeNames } from './alternative-names.ts';
import { type CertificateInfo, parseCertificate } from './certificate.ts';
import {
  context,
  contextPrimitive,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  time,
} from './der/write.ts';
import type { DistinguishedName } from './distinguished-name.ts';
import { PkiError } from './errors.ts';
import {
  type Extension,
  encodeAuthorityKeyId,
  encodeBasicConstraints,
  encodeExtensions,
  extension,
} from './extensions.ts';
import { effectiveUsages, encodeExtendedKeyUsage, encodeKeyUsage, type KeyUsageName } from './key-usage.ts';
import { encodeNameConstraints, type NameConstraints } from './name-constraints.ts';
import { encodePem } from './pem.ts';
import { keyKindOf, publicKeyOf, samePublicKey } from './private-key.ts';
import { keyIdentifier } from './public-key.ts';
import {
  algorithmIdentifier,
  chosenSignatureAlgorithm,
  type SignatureAlgorithm,
  signedSequence,
} from './signature.ts';

/** What is to stand in a certificate. A CsrInfo has the first six fields, so one can be spread into this. */
export interface CertificateTemplate extends AlternativeNamesSpec {
  /** `subjectName(spec)`, or the subject of a CSR. */
  readonly subject: DistinguishedName;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly isCA?: boolean | undefined;
  /** Default: digital signature, key encipherment; `cert sign` is added for an authority. */
  readonly usages?: readonly string[] | undefined;
  readonly nameConstraints?: NameConstraints | undefined;
  readonly crlDistributionPoints?: readonly string[] | undefined;
  readonly ocspServers?: readonly string[] | undefined;
  readonly issuingCertificateURLs?: readonly string[] | undefined;
  /** Hex; default 127 random bits. */
  readonly serialNumber?: string | undefined;
  /** Default: what suits the signing key. */
  readonly signatureAlgorithm?: SignatureAlgorithm | undefined;
}

/** A certificate authority: its certificate (of a PEM text, the first) and the key that belongs to it. */
export interface SigningAuthority {
  readonly certificate: string | CertificateInfo;
  readonly key: KeyObject;
}

/**
 * Signs a version 3 certificate (RFC 5280) for `publicKey` by an authority, as PEM: the certificate alone.
 * Throws PKI_CERTIFICATE_INVALID where the issuer is no authority, PKI_KEY_INVALID where its key is not its
 * own, PKI_NAME_INVALID or PKI_UNSUPPORTED for what the template asks.
 */
export async function signCertificate(
  template: CertificateTemplate & { readonly publicKey: KeyObject; readonly issuer: SigningAuthority },
): Promise<string> {
  const { key } = template.issuer;
  const given = template.issuer.certificate;
  const issuer = typeof given === 'string' ? parseCertificate(given) : given;
  if (!issuer.isCA) {
    throw new PkiError(
      'PKI_CERTIFICATE_INVALID',
      `the certificate "${issuer.subject.text}" is not of a certificate authority (isCA is false)`,
    );
  }
  if (!samePublicKey(issuer.publicKey, key)) {
    throw new PkiError(
      'PKI_KEY_INVALID',
      `the private key does not belong to the certificate of the authority "${issuer.subject.text}"`,
    );
  }
  const authorityKeyId = issuer.subjectKeyId ?? keyIdentifier(issuer.publicKey);
  return certificatePem(template, template.publicKey, issuer.subject, key, authorityKeyId);
}

/** Signs a certificate by the key it is for. Its issuer is its subject. */
export function selfSign(template: CertificateTemplate & { readonly key: KeyObject }): Promise<string> {
  return certificatePem(template, publicKeyOf(template.key), template.subject, template.key, undefined);
}

async function certificatePem(
  template: CertificateTemplate,
  publicKey: KeyObject,
  issuer: DistinguishedName,
  key: KeyObject,
  authorityKeyId: Buffer | undefined,
): Promise<string> {
  if (template.notAfterMs < template.notBeforeMs) {
    throw new PkiError('PKI_UNSUPPORTED', 'the certificate would end before it begins');
  }
  const algorithm = chosenSignatureAlgorithm(key, template.signatureAlgorithm);
  const tbs = sequence(
    context(0, integer(2)),
    integer(serialOctets(template.serialNumber)),
    algorithmIdentifier(algorithm),
    issuer.der,
    sequence(time(template.notBeforeMs), time(template.notAfterMs)),
    template.subject.der,
    publicKey.export({ format: 'der', type: 'spki' }),
    context(3, encodeExtensions(extensionsOf(template, publicKey, authorityKeyId))),
  );
  return encodePem('CERTIFICATE', await signedSequence(tbs, key, algorithm));
}

/** Positive, and at most 20 octets (RFC 5280 section 4.1.2.2). */
function serialOctets(hex: string | undefined): Buffer {
  if (hex === undefined) {
    const octets = randomBytes(16);
    octets[0] = ((octets[0] ?? 0) & 0x3f) | 0x40;
    return octets;
  }
  if (!/^(?:[0-9A-Fa-f]{2}){1,20}$/.test(hex) || /^(?:00)*$/.test(hex) || /^[89A-Fa-f].{39}$/.test(hex)) {
    throw new PkiError(
      'PKI_UNSUPPORTED',
      'serialNumber must be a positive number in hex, of 20 octets at most',
    );
  }
  return Buffer.from(hex, 'hex');
}

function extensionsOf(
  template: CertificateTemplate,
  publicKey: KeyObject,
  authorityKeyId: Buffer | undefined,
): Extension[] {
  const isCA = template.isCA === true;
  const usages = usagesFor(publicKey, effectiveUsages(template.usages, isCA));
  const constraints = template.nameConstraints;
  return [
    ...extension('keyUsage', true, encodeKeyUsage(usages)),
    ...extension('extKeyUsage', false, encodeExtendedKeyUsage(usages)),
    ...extension('basicConstraints', true, encodeBasicConstraints(isCA)),
    ...extension('subjectKeyIdentifier', false, octetString(keyIdentifier(publicKey))),
    ...extension('authorityKeyIdentifier', false, authorityKeyId && encodeAuthorityKeyId(authorityKeyId)),
    ...extension('authorityInfoAccess', false, encodeInfoAccess(template)),
    ...extension('subjectAltName', template.subject.rdns.length === 0, encodeAlternativeNames(template)),
    ...(constraints === undefined
      ? []
      : extension('nameConstraints', constraints.critical === true, encodeNameConstraints(constraints))),
    ...extension('crlDistributionPoints', false, encodeCrlPoints(template.crlDistributionPoints ?? [])),
  ];
}

/** Only RSA keys encipher: RFC 8813 section 3 and RFC 8410 section 5 forbid these bits for the others. */
function usagesFor(publicKey: KeyObject, usages: readonly KeyUsageName[]): KeyUsageName[] {
  const isRsa = keyKindOf(publicKey).algorithm === 'RSA';
  return usages.filter(usage => isRsa || (usage !== 'key encipherment' && usage !== 'data encipherment'));
}

function uriName(field: string, uri: string): Buffer {
  if (!/^[\x21-\x7e]+$/.test(uri) || !URL.canParse(uri)) {
    throw new PkiError(
      'PKI_NAME_INVALID',
      `${field}: ${JSON.stringify(uri)} is not an absolute URI in ASCII`,
    );
  }
  return contextPrimitive(6, Buffer.from(uri, 'latin1'));
}

/** RFC 5280 section 4.2.2.1. */
function encodeInfoAccess({
  ocspServers = [],
  issuingCertificateURLs = [],
}: CertificateTemplate): Buffer | undefined {
  const ocsp = objectIdentifier('1.3.6.1.5.5.7.48.1');
  const caIssuers = objectIdentifier('1.3.6.1.5.5.7.48.2');
  const points = [
    ...ocspServers.map(uri => sequence(ocsp, uriName('ocspServers', uri))),
    ...issuingCertificateURLs.map(uri => sequence(caIssuers, uriName('issuingCertificateURLs', uri))),
  ];
  return points.length === 0 ? undefined : sequence(...points);
}

/** RFC 5280 section 4.2.1.13: DistributionPoint { distributionPoint [0] { fullName [0] { uri } } } each. */
function encodeCrlPoints(uris: readonly string[]): Buffer | undefined {
  if (uris.length === 0) return undefined;
  return sequence(
    ...uris.map(uri => sequence(context(0, context(0, uriName('crlDistributionPoints', uri))))),
  );
}
