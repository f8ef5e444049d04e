import { type KeyObject, randomBytes } from 'node:crypto';
import {
  AccessDescription,
  AuthorityInfoAccessSyntax,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  CRLDistributionPoints,
  DistributionPoint,
  DistributionPointName,
  type Extension,
  Extensions,
  GeneralName,
  id_ad_caIssuers,
  id_ad_ocsp,
  KeyIdentifier,
  Name,
  SubjectKeyIdentifier,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509';
import { Integer } from 'asn1js';
import { type AlternativeNamesSpec, encodeAlternativeNames } from './alternative-names.ts';
import { decode, encode } from './asn1.ts';
import { type CertificateInfo, parseCertificate } from './certificate.ts';
import type { DistinguishedName } from './distinguished-name.ts';
import { PkiError } from './errors.ts';
import { extension } from './extensions.ts';
import { effectiveUsages, encodeExtendedKeyUsage, encodeKeyUsage, type KeyUsageName } from './key-usage.ts';
import { encodeNameConstraints, type NameConstraints } from './name-constraints.ts';
import { encodePem } from './pem.ts';
import { keyKindOf, publicKeyOf, samePublicKey } from './private-key.ts';
import { keyIdentifier, publicKeyInfo } from './public-key.ts';
import {
  algorithmIdentifier,
  chosenSignatureAlgorithm,
  type SignatureAlgorithm,
  signatureOver,
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
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: serialNumber(template.serialNumber),
    signature: algorithmIdentifier(algorithm),
    issuer: decode(issuer.der, Name),
    validity: new Validity({ notBefore: time(template.notBeforeMs), notAfter: time(template.notAfterMs) }),
    subject: decode(template.subject.der, Name),
    subjectPublicKeyInfo: publicKeyInfo(publicKey),
    extensions: new Extensions(extensionsOf(template, publicKey, authorityKeyId)),
  });
  const signatureValue = await signatureOver(encode(tbsCertificate), key, algorithm);
  const signatureAlgorithm = algorithmIdentifier(algorithm);
  return encodePem(
    'CERTIFICATE',
    encode(new Certificate({ tbsCertificate, signatureAlgorithm, signatureValue })),
  );
}

const lastSecondMs = Date.UTC(9999, 11, 31, 23, 59, 59);

/** What is past the year 9999 becomes its last second, which stands for "no end" (RFC 5280 section 4.1.2.5). */
const time = (epochMs: number): Date => new Date(Math.min(epochMs, lastSecondMs));

/** Positive, and at most 20 octets (RFC 5280 section 4.1.2.2). */
function serialNumber(hex: string | undefined): ArrayBuffer {
  if (hex === undefined) {
    const octets = new Uint8Array(randomBytes(16));
    octets[0] = ((octets[0] ?? 0) & 0x3f) | 0x40;
    return octets.buffer;
  }
  if (!/^(?:[0-9A-Fa-f]{2}){1,20}$/.test(hex) || /^(?:00)*$/.test(hex) || /^[89A-Fa-f].{39}$/.test(hex)) {
    throw new PkiError(
      'PKI_UNSUPPORTED',
      'serialNumber must be a positive number in hex, of 20 octets at most',
    );
  }
  return Integer.fromBigInt(BigInt(`0x${hex}`)).valueBlock.valueHex;
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
    // pathLength is left to the authority above.
    ...extension('basicConstraints', true, encode(new BasicConstraints({ cA: isCA }))),
    ...extension('subjectKeyIdentifier', false, encode(new SubjectKeyIdentifier(keyIdentifier(publicKey)))),
    ...extension('authorityKeyIdentifier', false, authorityKeyId && encodeAuthorityKeyId(authorityKeyId)),
    ...extension('authorityInfoAccess', false, encodeInfoAccess(template)),
    ...extension('subjectAltName', template.subject.rdns.length === 0, encodeAlternativeNames(template)),
    ...extension(
      'nameConstraints',
      constraints?.critical === true,
      constraints && encodeNameConstraints(constraints),
    ),
    ...extension('crlDistributionPoints', false, encodeCrlPoints(template.crlDistributionPoints ?? [])),
  ];
}

function encodeAuthorityKeyId(keyId: Buffer): Buffer {
  return encode(new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(keyId) }));
}

/** Only RSA keys encipher: RFC 8813 section 3 and RFC 8410 section 5 forbid these bits for the others. */
function usagesFor(publicKey: KeyObject, usages: readonly KeyUsageName[]): KeyUsageName[] {
  const isRsa = keyKindOf(publicKey).algorithm === 'RSA';
  return usages.filter(usage => isRsa || (usage !== 'key encipherment' && usage !== 'data encipherment'));
}

function uriName(field: string, uri: string): GeneralName {
  if (!/^[\x21-\x7e]+$/.test(uri) || !URL.canParse(uri)) {
    throw new PkiError(
      'PKI_NAME_INVALID',
      `${field}: ${JSON.stringify(uri)} is not an absolute URI in ASCII`,
    );
  }
  return new GeneralName({ uniformResourceIdentifier: uri });
}

/** RFC 5280 section 4.2.2.1. */
function encodeInfoAccess({
  ocspServers = [],
  issuingCertificateURLs = [],
}: CertificateTemplate): Buffer | undefined {
  const access = (accessMethod: string, accessLocation: GeneralName): AccessDescription =>
    new AccessDescription({ accessMethod, accessLocation });
  const points = [
    ...ocspServers.map(uri => access(id_ad_ocsp, uriName('ocspServers', uri))),
    ...issuingCertificateURLs.map(uri => access(id_ad_caIssuers, uriName('issuingCertificateURLs', uri))),
  ];
  return points.length === 0 ? undefined : encode(new AuthorityInfoAccessSyntax(points));
}

/** RFC 5280 section 4.2.1.13: a distribution point with one full name for each address. */
function encodeCrlPoints(uris: readonly string[]): Buffer | undefined {
  const points = uris.map(uri => {
    const fullName = [uriName('crlDistributionPoints', uri)];
    return new DistributionPoint({ distributionPoint: new DistributionPointName({ fullName }) });
  });
  return points.length === 0 ? undefined : encode(new CRLDistributionPoints(points));
}
