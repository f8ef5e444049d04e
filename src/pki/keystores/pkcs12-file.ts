import forge from 'node-forge';
import {
  type Asn1,
  bmpString,
  derOf,
  explicit,
  implicit,
  integer,
  octetString,
  octetsOf,
  oid,
  sequence,
  setOf,
} from './forge-asn1.ts';
import { macData, type Pkcs12Profile, pkcs12Profiles } from './pkcs12-profile.ts';

// node-forge's own toPkcs12Asn1 takes RSA keys and certificates alone, and leaves the certificates unencrypted: so the
// frame (RFC 7292 section 4) is put together here.

interface Entry {
  readonly der: Buffer;
  readonly attributes: {
    readonly friendlyName?: string | undefined;
    readonly localKeyId?: Buffer | undefined;
    /** For Java, which takes a certificate without a key for a trusted one only where it says so. */
    readonly trusted?: boolean | undefined;
  };
}

/** What is to stand in a file: a key in PKCS#8, and certificates. */
export interface Pkcs12File {
  readonly key?: Entry | undefined;
  readonly certificates: readonly Entry[];
}

const javaTrustedKeyUsage = '2.16.840.1.113894.746875.1.1';

/** The file, a PFX in DER. */
export function encodePkcs12(file: Pkcs12File, password: string, profile: Pkcs12Profile): Buffer {
  const { encryptCertificates, encryptKey, macHash } = pkcs12Profiles[profile];
  const certificates = encryptCertificates(sequence(...file.certificates.map(certificateBag)), password);
  const contents = [encryptedContent(certificates)];
  if (file.key !== undefined) {
    const shrouded = encryptKey(forge.asn1.fromDer(octetsOf(file.key.der)), password);
    contents.push(content(sequence(bag('pkcs8ShroudedKeyBag', shrouded, file.key))));
  }
  const safe = sequence(...contents);
  const pfx = sequence(integer(3), content(safe), macData(derOf(safe), password, macHash));
  return Buffer.from(derOf(pfx), 'latin1');
}

const content = (value: Asn1): Asn1 => sequence(oid('data'), explicit(octetString(derOf(value))));

function encryptedContent(encrypted: Asn1): Asn1 {
  const [algorithm, octets] = encrypted.value as [Asn1, Asn1];
  const info = sequence(oid('data'), algorithm, implicit(octets.value as string));
  return sequence(oid('encryptedData'), explicit(sequence(integer(0), info)));
}

function certificateBag(entry: Entry): Asn1 {
  const certificate = sequence(oid('x509Certificate'), explicit(octetString(octetsOf(entry.der))));
  return bag('certBag', certificate, entry);
}

function bag(kind: string, value: Asn1, { attributes }: Entry): Asn1 {
  const { friendlyName, localKeyId, trusted } = attributes;
  const all: Asn1[] = [];
  if (localKeyId !== undefined) all.push(attribute('localKeyId', octetString(octetsOf(localKeyId))));
  if (trusted === true) all.push(attribute(javaTrustedKeyUsage, oid('2.5.29.37.0')));
  if (friendlyName !== undefined) all.push(attribute('friendlyName', bmpString(friendlyName)));
  return sequence(oid(kind), explicit(value), ...(all.length > 0 ? [setOf(...all)] : []));
}

const attribute = (kind: string, value: Asn1): Asn1 => sequence(oid(kind), setOf(value));
