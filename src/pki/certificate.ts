import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import { Certificate, SubjectKeyIdentifier } from '@peculiar/asn1-x509';
import { remembering } from '../core/remembering.ts';
import {
  type AlternativeNames,
  noAlternativeNames,
  type OtherName,
  plainAlternativeNames,
  readAlternativeNames,
} from './alternative-names.ts';
import { Asn1Error, damaged, decode } from './asn1.ts';
import { publicKeyInfoIn } from './certificate-key.ts';
import { type DerValue, derValueAt, derValuesIn } from './der.ts';
import { type DistinguishedName, nameIn } from './distinguished-name.ts';
import { ecKeyKindOf } from './ec-key-point.ts';
import { PkiError } from './errors.ts';
import { extensionsIn, readAuthorityKeyId } from './extensions.ts';
import { type KeyUsageName, readExtendedKeyUsage, readKeyUsage } from './key-usage.ts';
import { encodePem, parsePem } from './pem.ts';
import { plainCertificate } from './plain-certificate.ts';
import { type KeyKind, keyKindOf } from './private-key.ts';
import { commonNameOf } from './subject.ts';

/** What node:crypto does not give. */
interface Fields {
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  readonly names: AlternativeNames;
  readonly usages: readonly KeyUsageName[];
  readonly authorityKeyId: Buffer | undefined;
  readonly subjectKeyId: Buffer | undefined;
}

function readFields(der: Buffer): Fields {
  const { tbsCertificate: tbs } = decode(der, Certificate);
  const read = extensionsIn(tbs.extensions);
  return {
    subject: nameIn(der, tbs.subject),
    issuer: nameIn(der, tbs.issuer),
    names: read('subjectAltName', readAlternativeNames) ?? noAlternativeNames,
    usages: [...(read('keyUsage', readKeyUsage) ?? []), ...(read('extKeyUsage', readExtendedKeyUsage) ?? [])],
    authorityKeyId: read('authorityKeyIdentifier', readAuthorityKeyId),
    subjectKeyId: read('subjectKeyIdentifier', value =>
      Buffer.from(decode(value, SubjectKeyIdentifier).buffer),
    ),
  };
}

/** The extensions of a certificate stand in its first value, under the tag [3] (RFC 5280 section 4.1). */
const extensionsTag = 0xa3;
/** The object identifier 2.5.29.35, as it is encoded. */
const authorityKeyIdentifier = Buffer.of(0x55, 0x1d, 0x23);

/** The keyIdentifier of a certificate's authorityKeyIdentifier, without reading all the rest. Throws Asn1Error. */
function authorityKeyIdIn(der: Buffer): Buffer | undefined {
  const inside = (value: DerValue | undefined): DerValue[] =>
    (value && derValuesIn(der, value.from, value.to)) ?? damaged('its lengths do not fit');
  const [tbs] = inside(derValueAt(der, 0, der.length));
  const wrapped = inside(tbs).find(({ tag }) => tag === extensionsTag);
  if (wrapped === undefined) return undefined;
  const found = inside(inside(wrapped)[0])
    .map(inside)
    .filter(([oid]) => oid !== undefined && der.subarray(oid.from, oid.to).equals(authorityKeyIdentifier));
  if (found.length > 1) damaged('the same extension twice');
  const value = found[0]?.at(-1);
  return value && readAuthorityKeyId(new Uint8Array(der.subarray(value.from, value.to)).buffer);
}

/**
 * A certificate that was read. Nothing here says that it is to be trusted. Dates and alternative names were read; the
 * rest is read when first asked for, and throws PKI_CERTIFICATE_INVALID where that cannot be done. Pass the object on
 * whole: a spread would lose its getters.
 *
 * OpenSSL reads what it can, of all but the plainest: it is ten times as fast as schemas in JavaScript, and it is what will
 * serve the certificate.
 * Its texts for names are taken only where they need no unescaping. What it holds of a certificate is ten times the size of
 * that, so that it is let go at once: V8, which does not see that memory, would keep it for long.
 */
export class CertificateInfo implements AlternativeNames {
  readonly der: Buffer;
  readonly notBeforeMs: number;
  /** The certificate is still good at this instant (RFC 5280 section 4.1.2.5: both ends are included). */
  readonly notAfterMs: number;
  declare readonly dnsNames: readonly string[];
  declare readonly ipAddresses: readonly string[];
  declare readonly uris: readonly string[];
  declare readonly emailAddresses: readonly string[];
  declare readonly otherNames: readonly OtherName[];
  declare readonly unsupportedNames: readonly string[];
  /** Whether it may issue: a certificate authority, with the usage `cert sign` where it names usages. */
  readonly isCA: boolean;
  /** Upper-case hex, without the octet that marks it positive. */
  readonly serialNumber: string;
  /** As OpenSSL writes it. */
  readonly #subjectText: string;
  #readFields: Fields | undefined;
  #publicKey: KeyObject | undefined;
  #selfSigned: boolean | undefined;

  /** Throws PKI_CERTIFICATE_INVALID. */
  constructor(der: Buffer) {
    this.der = der;
    const outline = plainOutline(der) ?? openSslOutline(der);
    this.notBeforeMs = outline.notBeforeMs;
    this.notAfterMs = outline.notAfterMs;
    this.isCA = outline.isCA;
    this.serialNumber = outline.serialNumber;
    this.#subjectText = outline.subjectText;
    Object.assign(this, outline.names ?? this.#fields.names);
  }

  get #fields(): Fields {
    return (this.#readFields ??= translated(() => readFields(this.der)));
  }

  get pem(): string {
    return encodePem('CERTIFICATE', this.der);
  }

  get subject(): DistinguishedName {
    return this.#fields.subject;
  }

  get issuer(): DistinguishedName {
    return this.#fields.issuer;
  }

  /** The subject's commonName. */
  get commonName(): string | undefined {
    const text = this.#subjectText;
    // One attribute a line; a backslash, a plus or a quote says that there is more to it.
    if (!/^[\n\x20-\x7e]*$/.test(text) || /[\\+"]/.test(text)) return commonNameOf(this.subject);
    return text
      .split('\n')
      .findLast(line => line.startsWith('CN='))
      ?.slice(3);
  }

  /** Whether the subject is a commonName at most. Like that name, it is told without reading the ASN.1. */
  get hasPlainSubject(): boolean {
    return /^(?:CN=[^\n+]*)?$/.test(this.#subjectText);
  }

  get usages(): readonly KeyUsageName[] {
    return this.#fields.usages;
  }

  get publicKey(): KeyObject {
    return (this.#publicKey ??= translated(() =>
      attempt('its public key cannot be read', () => new X509Certificate(this.der).publicKey),
    ));
  }

  get keyKind(): KeyKind {
    // Of an ECDSA key the first octets tell, without making an object of it.
    return ecKeyKindOf(publicKeyInfoIn(this.der)) ?? keyKindOf(this.publicKey);
  }

  /** keyIdentifier of authorityKeyIdentifier. */
  get authorityKeyId(): Buffer | undefined {
    // Asked for with every new certificate; the rest of the fields is not.
    return this.#readFields?.authorityKeyId ?? translated(() => authorityKeyIdIn(this.der));
  }

  get subjectKeyId(): Buffer | undefined {
    return this.#fields.subjectKeyId;
  }

  /** SHA-256 of the DER, lower-case hex. */
  get fingerprint256(): string {
    return createHash('sha256').update(this.der).digest('hex');
  }

  /** Whether it names itself as issuer and its own key made the signature. */
  get selfSigned(): boolean {
    return (this.#selfSigned ??= this.issuer.der.equals(this.subject.der) && isSignedBy(this, this));
  }
}

/** What is read of each certificate. `names`: undefined where they are for the schemas to read. */
interface Outline {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly isCA: boolean;
  readonly serialNumber: string;
  readonly subjectText: string;
  readonly names: AlternativeNames | undefined;
}

function plainOutline(der: Buffer): Outline | undefined {
  const plain = plainCertificate(der);
  if (plain === undefined) return undefined;
  const { notBeforeMs, notAfterMs, serialNumber, commonName } = plain;
  const dnsNames = plain.dnsNames.map(name => name.toLowerCase());
  return {
    notBeforeMs,
    notAfterMs,
    isCA: false,
    serialNumber,
    subjectText: commonName === undefined ? '' : `CN=${commonName}`,
    names: { ...noAlternativeNames, dnsNames },
  };
}

/** Throws PKI_CERTIFICATE_INVALID. */
function openSslOutline(der: Buffer): Outline {
  const x509 = openSslCertificate(der);
  return {
    notBeforeMs: Date.parse(x509.validFrom),
    notAfterMs: Date.parse(x509.validTo),
    isCA: x509.ca,
    serialNumber: x509.serialNumber.padStart(2, '0'),
    subjectText: x509.subject ?? '',
    names: plainAlternativeNames(x509.subjectAltName ?? ''),
  };
}

/** Throws PKI_CERTIFICATE_INVALID. */
function openSslCertificate(der: Buffer): X509Certificate {
  return translated(() => {
    const x509 = attempt('OpenSSL does not read it', () => new X509Certificate(der));
    // What follows a certificate, or a time that is none, OpenSSL passes over.
    if (!x509.raw.equals(der)) damaged('it is not DER alone');
    // By the texts: where a date is none, they say so, and validFromDate is whatever stood in memory.
    if (Number.isNaN(Date.parse(x509.validFrom) + Date.parse(x509.validTo))) damaged('it has no valid dates');
    return x509;
  });
}

function attempt<T>(otherwise: string, read: () => T): T {
  try {
    return read();
  } catch {
    return damaged(otherwise);
  }
}

function translated<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Asn1Error) {
      throw new PkiError('PKI_CERTIFICATE_INVALID', `the certificate is damaged: ${error.message}`, error);
    }
    throw error;
  }
}

/** Whether the key of `issuer` made the signature on `certificate`; names and dates are not looked at. */
export function isSignedBy(certificate: CertificateInfo, issuer: CertificateInfo): boolean {
  try {
    return new X509Certificate(certificate.der).verify(issuer.publicKey);
  } catch {
    return false;
  }
}

/** Reads one certificate in DER. Throws PKI_CERTIFICATE_INVALID. */
export function readCertificate(der: Buffer): CertificateInfo {
  return new CertificateInfo(der);
}

/** Reads every certificate of a PEM text, in order; other blocks are passed over. Throws PKI_CERTIFICATE_INVALID, also for none. */
export function parseCertificates(pem: string | Buffer): CertificateInfo[] {
  const blocks = parsePem(pem.toString()).filter(({ label }) => certificateLabels.has(label));
  if (blocks.length === 0)
    throw new PkiError('PKI_CERTIFICATE_INVALID', 'there is no certificate in PEM form');
  return blocks.map(({ der }) => readCertificate(der));
}

const certificateLabels: ReadonlySet<string> = new Set(['CERTIFICATE', 'X509 CERTIFICATE']);

/** Reads the first certificate of a PEM text, which in a `tls.crt` is the leaf. Throws PKI_CERTIFICATE_INVALID. */
export function parseCertificate(pem: string | Buffer): CertificateInfo {
  return parseLeafOnce(pem.toString());
}

const parseLeafOnce = remembering(1_024, (text): CertificateInfo => {
  const leaf = parsePem(text).find(({ label }) => certificateLabels.has(label));
  if (leaf === undefined)
    throw new PkiError('PKI_CERTIFICATE_INVALID', 'there is no certificate in PEM form');
  return readCertificate(leaf.der);
});
