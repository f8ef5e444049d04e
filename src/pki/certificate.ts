import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import {
  type AlternativeNames,
  noAlternativeNames,
  type OtherName,
  readAlternativeNames,
} from './alternative-names.ts';
import { childrenOf, DerError, type DerValue, expectTag, readDer, readTime } from './der/read.ts';
import { type DistinguishedName, readName } from './distinguished-name.ts';
import { PkiError } from './errors.ts';
import {
  type Extension,
  extensionOids,
  readAuthorityKeyId,
  readBasicConstraints,
  readExtensions,
} from './extensions.ts';
import { type KeyUsageName, readExtendedKeyUsage, readKeyUsage } from './key-usage.ts';
import { encodePem, parsePem } from './pem.ts';
import { type KeyKind, keyKindOf } from './private-key.ts';
import { readPublicKey } from './public-key.ts';
import { readSigned } from './signature.ts';
import { commonNameOf } from './subject.ts';

/**
 * A certificate that was read. Nothing here says that it is to be trusted. Some fields are getters that do their
 * work when first asked: pass the object on whole, a spread would lose them.
 */
export interface CertificateInfo extends AlternativeNames {
  readonly pem: string;
  readonly der: Buffer;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  /** The subject's commonName. */
  readonly commonName: string | undefined;
  readonly notBeforeMs: number;
  /** The certificate is still good at this instant (RFC 5280 section 4.1.2.5: both ends are included). */
  readonly notAfterMs: number;
  /** Upper-case hex, without the octet that marks it positive. */
  readonly serialNumber: string;
  readonly isCA: boolean;
  readonly usages: readonly KeyUsageName[];
  readonly publicKey: KeyObject;
  readonly keyKind: KeyKind;
  /** keyIdentifier of authorityKeyIdentifier. */
  readonly authorityKeyId: Buffer | undefined;
  readonly subjectKeyId: Buffer | undefined;
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint256: string;
  /** Whether it names itself as issuer and its own key made the signature. */
  readonly selfSigned: boolean;
}

/** Reads what is cheap and what must be sound at once, and the rest when it is first asked for. */
class ParsedCertificate implements CertificateInfo {
  readonly der: Buffer;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly serialNumber: string;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  readonly isCA: boolean;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly uris: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly otherNames: readonly OtherName[];
  readonly unsupportedNames: readonly string[];
  readonly #spki: Buffer;
  readonly #extensions: ReadonlyMap<string, Extension>;
  readonly usages: readonly KeyUsageName[];
  readonly authorityKeyId: Buffer | undefined;
  readonly subjectKeyId: Buffer | undefined;
  #pem: string | undefined;
  #publicKey: KeyObject | undefined;
  #fingerprint: string | undefined;
  #selfSigned: boolean | undefined;

  constructor(der: Buffer) {
    this.der = der;
    const fields = childrenOf(readSigned(readDer(der)).tbs);
    if (fields[0]?.tag === 0xa0) fields.shift();
    const [serial, , issuer, validity, subject, spki, ...optional] = fields;
    this.serialNumber = serialText(expectTag(serial, 0x02));
    this.issuer = readName(expectTag(issuer, 0x30).raw);
    this.subject = readName(expectTag(subject, 0x30).raw);
    const [notBefore, notAfter] = childrenOf(expectTag(validity, 0x30));
    this.notBeforeMs = readTime(notBefore);
    this.notAfterMs = readTime(notAfter);
    this.#spki = expectTag(spki, 0x30).raw;
    this.#extensions = extensionsIn(optional.find(({ tag }) => tag === 0xa3));
    const names = this.#read('subjectAltName', readAlternativeNames) ?? noAlternativeNames;
    this.dnsNames = names.dnsNames;
    this.ipAddresses = names.ipAddresses;
    this.uris = names.uris;
    this.emailAddresses = names.emailAddresses;
    this.otherNames = names.otherNames;
    this.unsupportedNames = names.unsupportedNames;
    this.isCA = this.#read('basicConstraints', readBasicConstraints) ?? false;
    this.usages = [
      ...(this.#read('keyUsage', readKeyUsage) ?? []),
      ...(this.#read('extKeyUsage', readExtendedKeyUsage) ?? []),
    ];
    this.authorityKeyId = this.#read('authorityKeyIdentifier', readAuthorityKeyId);
    this.subjectKeyId = this.#read('subjectKeyIdentifier', value => readDer(value, 0x04).content);
  }

  #read<T>(name: keyof typeof extensionOids, reader: (value: Buffer) => T): T | undefined {
    const found = this.#extensions.get(extensionOids[name]);
    return found === undefined ? undefined : reader(found.value);
  }

  get pem(): string {
    return (this.#pem ??= encodePem('CERTIFICATE', this.der));
  }

  get commonName(): string | undefined {
    return commonNameOf(this.subject);
  }

  /** Throws PKI_CERTIFICATE_INVALID where the key is of a kind that OpenSSL does not read. */
  get publicKey(): KeyObject {
    return (this.#publicKey ??= translated(() => readPublicKey(this.#spki)));
  }

  get keyKind(): KeyKind {
    return keyKindOf(this.publicKey);
  }

  get fingerprint256(): string {
    return (this.#fingerprint ??= createHash('sha256').update(this.der).digest('hex'));
  }

  get selfSigned(): boolean {
    return (this.#selfSigned ??= this.issuer.der.equals(this.subject.der) && isSignedBy(this, this));
  }
}

function serialText({ content }: DerValue): string {
  return content
    .toString('hex')
    .toUpperCase()
    .replace(/^(?:00)+(?=..)/, '');
}

function extensionsIn(wrapped: DerValue | undefined): ReadonlyMap<string, Extension> {
  if (wrapped === undefined) return new Map();
  const [list] = childrenOf(wrapped);
  return readExtensions(expectTag(list, 0x30));
}

function translated<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DerError) {
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
  return translated(() => new ParsedCertificate(der));
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
  const [first] = parseCertificates(pem);
  if (first === undefined)
    throw new PkiError('PKI_CERTIFICATE_INVALID', 'there is no certificate in PEM form');
  return first;
}
