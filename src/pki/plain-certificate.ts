import { type DerValue, derValueAt, derValuesIn } from './der.ts';
import { ecKeyKindOf } from './ec-key-point.ts';

/** What is told of a certificate of the plain form. */
export interface PlainCertificate {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Upper-case hex, without the octet that marks it positive. */
  readonly serialNumber: string;
  /** All that the subject says; undefined where it is empty. */
  readonly commonName: string | undefined;
  /** All that the subjectAltName says, as it stands there. */
  readonly dnsNames: readonly string[];
}

const version3 = 'a003020102';
/** AlgorithmIdentifiers: ECDSA (RFC 5758 section 3.2) and RSA (RFC 4055 section 5) with SHA-256, SHA-384, SHA-512. */
const signatureAlgorithms: ReadonlySet<string> = new Set([
  ...['300a06082a8648ce3d040302', '300a06082a8648ce3d040303', '300a06082a8648ce3d040304'],
  ...['300d06092a864886f70d01010b0500', '300d06092a864886f70d01010c0500', '300d06092a864886f70d01010d0500'],
]);
const commonNameOid = '550403';
const alternativeNamesOid = '551d11';
const basicConstraintsOid = '551d13';
/** Extensions whose content changes nothing of what is told here: identifiers, usages, policies, where to ask, timestamps. */
const otherOids: ReadonlySet<string> = new Set([
  ...['551d0e', '551d0f', '551d1f', '551d20', '551d23', '551d25'],
  ...['2b06010505070101', '2b06010401d679020402'],
]);
/** UTF8String, PrintableString, IA5String. */
const stringTags: ReadonlySet<number> = new Set([0x0c, 0x13, 0x16]);

/**
 * Reads a certificate of the form that sites are given: version 3, an ECDSA key on a usual curve, a subject of a plain
 * commonName at most, DNS names alone, no authority. Undefined for any other, and wherever an octet is not as it is expected:
 * that is for OpenSSL to read, or to refuse. It reads whatever is read here, and the same of it; but it takes several
 * times as long, and leaves memory that V8 does not see and glibc does not give back: 100 MB for ten thousand.
 * Source: RFC 5280 section 4.1.
 */
export function plainCertificate(der: Buffer): PlainCertificate | undefined {
  const [whole, ...behind] = derValuesIn(der, 0, der.length) ?? [];
  const [tbs, algorithm, signature, ...more] = inside(der, whole, 0x30);
  if (!tbs || !algorithm || signature?.tag !== 0x03 || behind.length + more.length > 0) return undefined;
  if (signature.to - signature.from < 2 || der[signature.from] !== 0) return undefined;
  const fields = inside(der, tbs, 0x30);
  const [version, serial, innerAlgorithm, issuer, validity, subject, key, extensions] = fields;
  if (!version || !serial || !innerAlgorithm || !issuer || !key || fields.length !== 8) return undefined;
  if (hex(der, version) !== version3 || hex(der, innerAlgorithm) !== hex(der, algorithm)) return undefined;
  if (!signatureAlgorithms.has(hex(der, algorithm)) || !isPlainName(der, issuer)) return undefined;
  if (ecKeyKindOf(der.subarray(key.at, key.to)) === undefined) return undefined;
  const serialNumber = serialIn(der, serial);
  const [notBeforeMs, notAfterMs, ...times] = inside(der, validity, 0x30).map(time => timeIn(der, time));
  const commonName = commonNameIn(der, subject);
  const dnsNames = dnsNamesIn(der, extensions);
  if (serialNumber === undefined || commonName === undefined || dnsNames === undefined) return undefined;
  if (notBeforeMs === undefined || notAfterMs === undefined || times.length > 0) return undefined;
  return {
    notBeforeMs,
    notAfterMs,
    serialNumber,
    commonName: commonName === '' ? undefined : commonName,
    dnsNames,
  };
}

/** The values in a value of this tag; none where it is another, or they do not fill it. */
function inside(der: Buffer, value: DerValue | undefined, tag: number): DerValue[] {
  return value?.tag === tag ? (derValuesIn(der, value.from, value.to) ?? []) : [];
}

const hex = (der: Buffer, { at, to }: DerValue): string => der.toString('hex', at, to);
const contentOf = (der: Buffer, { from, to }: DerValue): string => der.toString('hex', from, to);
const textOf = (der: Buffer, { from, to }: DerValue): string => der.toString('latin1', from, to);

/** A positive number in as few octets as can be. */
function serialIn(der: Buffer, serial: DerValue): string | undefined {
  const text = contentOf(der, serial);
  const isPlain = serial.tag === 0x02 && /^(?:00[89a-f]|0[1-9a-f]|[1-7])/.test(text) && text.length <= 40;
  return isPlain ? text.replace(/^00/, '').toUpperCase() : undefined;
}

/** UTCTime and GeneralizedTime, in seconds and UTC. */
function timeIn(der: Buffer, time: DerValue): number | undefined {
  const text = textOf(der, time);
  const century = time.tag === 0x17 ? (text < '5' ? '20' : '19') : '';
  if ((time.tag !== 0x17 || text.length !== 13) && (time.tag !== 0x18 || text.length !== 15))
    return undefined;
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(century + text) ?? [];
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const atMs = Date.parse(iso);
  // A day that its month has not becomes one of the next.
  return Number.isNaN(atMs) || new Date(atMs).toISOString() !== iso ? undefined : atMs;
}

/** Whether a name has attributes of X.520 alone, in ASCII. */
function isPlainName(der: Buffer, name: DerValue): boolean {
  const relative = inside(der, name, 0x30);
  return relative.length > 0 && relative.every(one => attributeIn(der, one) !== undefined);
}

/** The one attribute of a relative name. */
function attributeIn(der: Buffer, relative: DerValue): { oid: string; text: string } | undefined {
  const [attribute, ...others] = inside(der, relative, 0x31);
  const [type, value, ...more] = inside(der, attribute, 0x30);
  if (type?.tag !== 0x06 || !value || others.length + more.length > 0) return undefined;
  const oid = contentOf(der, type);
  const text = textOf(der, value);
  const isPlain = /^5504[0-7].$/.test(oid) && stringTags.has(value.tag) && /^[\x20-\x7e]+$/.test(text);
  return isPlain ? { oid, text } : undefined;
}

/** `''` for an empty subject; undefined where it says anything else, or what texts of OpenSSL would escape. */
function commonNameIn(der: Buffer, subject: DerValue | undefined): string | undefined {
  if (subject?.tag !== 0x30) return undefined;
  if (subject.from === subject.to) return '';
  const [relative, ...others] = inside(der, subject, 0x30);
  const attribute = relative && attributeIn(der, relative);
  const isPlain =
    attribute?.oid === commonNameOid && others.length === 0 && /^[\w*.-]+$/.test(attribute.text);
  return isPlain ? attribute.text : undefined;
}

/** The DNS names; undefined where there are others, or none, or where an extension is not known, or makes it an authority. */
function dnsNamesIn(der: Buffer, extensions: DerValue | undefined): string[] | undefined {
  const [list, ...others] = inside(der, extensions, 0xa3);
  if (others.length > 0) return undefined;
  let dnsNames: string[] | undefined;
  const seen = new Set<string>();
  for (const extension of inside(der, list, 0x30)) {
    const values = inside(der, extension, 0x30);
    const [type, value] = [values[0], values.at(-1)];
    if (type?.tag !== 0x06 || value?.tag !== 0x04) return undefined;
    const oid = contentOf(der, type);
    const isCritical = values.length === 3 && values[1] && hex(der, values[1]) === '0101ff';
    if ((values.length !== 2 && isCritical !== true) || seen.has(oid)) return undefined;
    seen.add(oid);
    if (oid === alternativeNamesOid) dnsNames = dnsNamesOf(der, value);
    else if (oid === basicConstraintsOid ? contentOf(der, value) !== '3000' : !otherOids.has(oid))
      return undefined;
  }
  return dnsNames;
}

function dnsNamesOf(der: Buffer, { from, to }: DerValue): string[] | undefined {
  const names = derValueAt(der, from, to);
  if (names?.to !== to) return undefined;
  const values = inside(der, names, 0x30);
  const texts = values.map(value => textOf(der, value));
  const arePlain = values.every(({ tag }) => tag === 0x82) && texts.every(text => /^[\w*.-]+$/.test(text));
  return arePlain && texts.length > 0 ? texts : undefined;
}
