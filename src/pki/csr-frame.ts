import { damaged } from './asn1.ts';
import { type DerValue, derOf, derValueAt, derValuesIn, isOneDerValue } from './der.ts';

/** What the requester signs (RFC 2986 section 4.1), each part encoded. */
export interface CsrInfoParts {
  /** A Name. */
  readonly subject: Buffer;
  /** A SubjectPublicKeyInfo. */
  readonly publicKeyInfo: Buffer;
  /** The Extensions that are asked for; undefined where none are. */
  readonly extensions: Buffer | undefined;
}

/** A request that was taken apart. Nothing of it is checked but its frame. */
export interface CsrParts extends CsrInfoParts {
  /** The octets that are signed: the whole CertificationRequestInfo. */
  readonly signed: Buffer;
  /** An AlgorithmIdentifier. */
  readonly signatureAlgorithm: Buffer;
  readonly signature: Buffer;
}

const sequence = 0x30;
const set = 0x31;
const bitString = 0x03;
const attributesTag = 0xa0;
const version0 = Buffer.of(0x02, 0x01, 0x00);
/** 1.2.840.113549.1.9.14 (RFC 2985 section 5.4.2). */
const extensionRequest = derOf(0x06, Buffer.from('2a864886f70d01090e', 'hex'));

/** The CertificationRequestInfo of these parts. */
export function encodeCsrInfo({ subject, publicKeyInfo, extensions }: CsrInfoParts): Buffer {
  const attributes =
    extensions === undefined ? [] : [derOf(sequence, extensionRequest, derOf(set, extensions))];
  return derOf(sequence, version0, subject, publicKeyInfo, derOf(attributesTag, ...attributes));
}

/** The CertificationRequest of what was signed. */
export function encodeCsr(signed: Uint8Array, algorithm: Uint8Array, signature: Uint8Array): Buffer {
  return derOf(sequence, signed, algorithm, derOf(bitString, Buffer.of(0), signature));
}

/** Takes a CertificationRequest apart. Throws Asn1Error where it is none. */
export function readCsrParts(bytes: Buffer): CsrParts {
  if (!isOneDerValue(bytes)) damaged('its lengths do not fit');
  const whole = derValueAt(bytes, 0, bytes.length);
  const [info, algorithm, signature] = valuesIn(bytes, whole, sequence, 3, 3);
  const [version, subject, key, attributes] = valuesIn(bytes, info, sequence, 3, 4);
  if (!octets(bytes, version).equals(version0)) damaged('an unknown version');
  const signatureOctets = contents(bytes, signature, bitString);
  if (signatureOctets[0] !== 0) damaged('a signature that does not end with an octet');
  return {
    signed: octets(bytes, info),
    subject: octets(bytes, subject),
    publicKeyInfo: octets(bytes, key),
    extensions: attributes && extensionsAmong(bytes, attributes),
    signatureAlgorithm: octets(bytes, algorithm),
    signature: signatureOctets.subarray(1),
  };
}

function extensionsAmong(bytes: Buffer, attributes: DerValue): Buffer | undefined {
  for (const attribute of valuesIn(bytes, attributes, attributesTag, 0)) {
    const [type, values] = valuesIn(bytes, attribute, sequence, 2, 2);
    if (!octets(bytes, type).equals(extensionRequest)) continue;
    const [extensions] = valuesIn(bytes, values, set, 1, 1);
    return octets(bytes, extensions);
  }
  return undefined;
}

/** The values in one that has this tag. Throws Asn1Error where it has another, or not so many values. */
function valuesIn(
  bytes: Buffer,
  value: DerValue | undefined,
  tag: number,
  atLeast: number,
  atMost = Number.POSITIVE_INFINITY,
): DerValue[] {
  const values = value?.tag === tag ? derValuesIn(bytes, value.from, value.to) : undefined;
  if (values === undefined || values.length < atLeast || values.length > atMost)
    return damaged('it is not put together as a request is');
  return values;
}

function contents(bytes: Buffer, value: DerValue | undefined, tag: number): Buffer {
  return value?.tag === tag ? bytes.subarray(value.from, value.to) : damaged('a part of another kind');
}

function octets(bytes: Buffer, value: DerValue | undefined): Buffer {
  return value === undefined ? damaged('a part is missing') : bytes.subarray(value.at, value.to);
}
