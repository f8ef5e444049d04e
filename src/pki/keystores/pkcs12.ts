import { createHash, type KeyObject } from 'node:crypto';
import { type CertificateInfo, parseCertificates } from '../certificate.ts';
import {
  context,
  contextPrimitive,
  der,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
} from '../der/write.ts';
import { macData, type Pkcs12Profile, pkcs12Profiles } from './pkcs12-profile.ts';

/** What both kinds of PKCS#12 file need. */
interface Pkcs12Options {
  readonly password: string;
  /** Default LegacyRC2, as cert-manager; OpenSSL 3 reads it with `-legacy` alone. */
  readonly profile?: Pkcs12Profile | undefined;
}

const oids = {
  data: '1.2.840.113549.1.7.1',
  encryptedData: '1.2.840.113549.1.7.6',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certBag: '1.2.840.113549.1.12.10.1.3',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
  /** Java takes a certificate without a key for a trusted one only with this attribute. */
  javaTrustedKeyUsage: '2.16.840.1.113894.746875.1.1',
  anyExtendedKeyUsage: '2.5.29.37.0',
};

/**
 * A PKCS#12 file (RFC 7292) with a private key, RSA, ECDSA or Ed25519, and its certificates: those of
 * `chain` (PEM, leaf first), then those of `ca`. Throws PKI_CERTIFICATE_INVALID.
 */
export async function pkcs12KeyStore(
  options: Pkcs12Options & {
    readonly key: KeyObject;
    readonly chain: string;
    readonly ca?: string | undefined;
    readonly alias?: string | undefined;
  },
): Promise<Buffer> {
  const { password, profile = 'LegacyRC2', alias } = options;
  const rules = pkcs12Profiles[profile];
  const all = [
    ...parseCertificates(options.chain),
    ...(options.ca === undefined ? [] : parseCertificates(options.ca)),
  ];
  const certificates = [...new Map(all.map(each => [each.fingerprint256, each])).values()];
  const leafId = createHash('sha1')
    .update(certificates[0]?.der ?? '')
    .digest();
  const attributes = [
    attribute(oids.localKeyId, octetString(leafId)),
    ...(alias === undefined ? [] : [attribute(oids.friendlyName, bmpString(alias))]),
  ];
  const plainKey = options.key.export({ format: 'der', type: 'pkcs8' });
  const { algorithm, octets } = await rules.encryptKey(plainKey, password);
  const keyBag = bag(oids.shroudedKeyBag, sequence(algorithm, octetString(octets)), attributes);
  const certBags = certificates.map((each, index) => certificateBag(each, index === 0 ? attributes : []));
  const encrypted = await rules.encryptCertificates(sequence(...certBags), password);
  return file([encryptedContent(encrypted), dataContent(sequence(keyBag))], password, profile);
}

/** A PKCS#12 file with certificates to trust, in the form that Java reads as a truststore. Throws PKI_CERTIFICATE_INVALID. */
export async function pkcs12TrustStore(options: Pkcs12Options & { readonly ca: string }): Promise<Buffer> {
  const { password, profile = 'LegacyRC2' } = options;
  const bags = parseCertificates(options.ca).map((each, index) =>
    certificateBag(each, [
      attribute(oids.javaTrustedKeyUsage, objectIdentifier(oids.anyExtendedKeyUsage)),
      // Java keeps one certificate for each name, so the name carries the place too.
      attribute(
        oids.friendlyName,
        bmpString(index === 0 ? each.subject.text : `${each.subject.text} (${index})`),
      ),
    ]),
  );
  const encrypted = await pkcs12Profiles[profile].encryptCertificates(sequence(...bags), password);
  return file([encryptedContent(encrypted)], password, profile);
}

const bmpString = (text: string): Buffer => der(0x1e, Buffer.from(text, 'utf16le').swap16());

const attribute = (oid: string, value: Buffer): Buffer => sequence(objectIdentifier(oid), setOf(value));

function bag(oid: string, value: Buffer, attributes: readonly Buffer[]): Buffer {
  return sequence(
    objectIdentifier(oid),
    context(0, value),
    ...(attributes.length > 0 ? [setOf(...attributes)] : []),
  );
}

function certificateBag(certificate: CertificateInfo, attributes: readonly Buffer[]): Buffer {
  const value = sequence(objectIdentifier(oids.x509Certificate), context(0, octetString(certificate.der)));
  return bag(oids.certBag, value, attributes);
}

function dataContent(content: Buffer): Buffer {
  return sequence(objectIdentifier(oids.data), context(0, octetString(content)));
}

function encryptedContent({ algorithm, octets }: { algorithm: Buffer; octets: Buffer }): Buffer {
  const info = sequence(objectIdentifier(oids.data), algorithm, contextPrimitive(0, octets));
  return sequence(objectIdentifier(oids.encryptedData), context(0, sequence(integer(0), info)));
}

async function file(contents: readonly Buffer[], password: string, profile: Pkcs12Profile): Promise<Buffer> {
  const safe = sequence(...contents);
  return sequence(
    integer(3),
    dataContent(safe),
    await macData(safe, password, pkcs12Profiles[profile].macHash),
  );
}
