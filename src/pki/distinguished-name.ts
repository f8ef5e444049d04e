import { oidText } from './der/oid.ts';
import { childrenOf, DerError, type DerValue, expectTag, readDer } from './der/read.ts';
import { der, objectIdentifier, sequence, setOf, utf8String } from './der/write.ts';

/** One attribute of a name: the type's object identifier and its value as text. */
export interface NameAttribute {
  readonly oid: string;
  readonly value: string;
}

/** A distinguished name (RFC 5280 section 4.1.2.4): relative names in the order they are encoded, most general first. */
export interface DistinguishedName {
  readonly rdns: readonly (readonly NameAttribute[])[];
  /** The name as RFC 4514 writes it (which took over RFC 2253): most particular first, `CN=a,O=b`; empty for the empty name. */
  readonly text: string;
  /** The encoded Name. */
  readonly der: Buffer;
}

/** Short names of attribute types: RFC 4514 section 3, and those which Go and OpenSSL also know. */
export const attributeOids: Readonly<Record<string, string>> = {
  CN: '2.5.4.3',
  SN: '2.5.4.4',
  SERIALNUMBER: '2.5.4.5',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  STREET: '2.5.4.9',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  TITLE: '2.5.4.12',
  POSTALCODE: '2.5.4.17',
  GN: '2.5.4.42',
  DNQ: '2.5.4.46',
  UID: '0.9.2342.19200300.100.1.1',
  DC: '0.9.2342.19200300.100.1.25',
  EMAILADDRESS: '1.2.840.113549.1.9.1',
};

const shortNames = new Map(Object.entries(attributeOids).map(([name, oid]) => [oid, name]));

/** Attributes whose syntax is IA5String (RFC 5280 appendix A.1). */
const ia5Attributes: ReadonlySet<string> = new Set(
  [attributeOids['DC'], attributeOids['EMAILADDRESS']].map(String),
);
/** Attributes whose syntax is PrintableString alone. */
const printableAttributes: ReadonlySet<string> = new Set(
  [attributeOids['C'], attributeOids['SERIALNUMBER'], attributeOids['DNQ']].map(String),
);
const printable = /^[A-Za-z0-9 '()+,\-./:=?]*$/;

function encodeAttribute({ oid, value }: NameAttribute): Buffer {
  const isAscii = /^\p{ASCII}*$/u.test(value);
  const text =
    ia5Attributes.has(oid) && isAscii
      ? der(0x16, Buffer.from(value, 'latin1'))
      : printableAttributes.has(oid) && printable.test(value)
        ? der(0x13, Buffer.from(value, 'latin1'))
        : utf8String(value);
  return sequence(objectIdentifier(oid), text);
}

/** The name made of these relative names. Attributes of one relative name take the order that DER gives a SET. */
export function distinguishedName(rdns: readonly (readonly NameAttribute[])[]): DistinguishedName {
  const encoded = rdns.map(rdn =>
    rdn
      .map(attribute => ({ attribute, bytes: encodeAttribute(attribute) }))
      .toSorted((a, b) => Buffer.compare(a.bytes, b.bytes)),
  );
  const ordered = encoded.map(rdn => rdn.map(({ attribute }) => attribute));
  const bytes = sequence(...encoded.map(rdn => setOf(...rdn.map(each => each.bytes))));
  return { rdns: ordered, text: nameText(ordered), der: bytes };
}

function attributeText(value: DerValue): string {
  switch (value.tag) {
    case 0x0c:
      return value.content.toString('utf8');
    case 0x1e:
      if (value.content.length % 2 !== 0) throw new DerError('a BMPString of odd length');
      return Buffer.from(value.content).swap16().toString('utf16le');
    case 0x1c:
      return universalText(value.content);
    default:
      // PrintableString, IA5String, TeletexString (by use, Latin-1), and the rest of the string types.
      return value.content.toString('latin1');
  }
}

function universalText(content: Buffer): string {
  if (content.length % 4 !== 0) throw new DerError('a UniversalString of odd length');
  let text = '';
  for (let at = 0; at < content.length; at += 4) {
    const point = content.readUInt32BE(at);
    if (point > 0x10_ffff) throw new DerError('a character that does not exist');
    text += String.fromCodePoint(point);
  }
  return text;
}

/** Reads an encoded Name. Throws DerError. */
export function readName(bytes: Buffer): DistinguishedName {
  const rdns = childrenOf(readDer(bytes, 0x30)).map(rdn =>
    childrenOf(expectTag(rdn, 0x31)).map(attribute => {
      const [type, value] = childrenOf(expectTag(attribute, 0x30));
      if (value === undefined) throw new DerError('a name attribute without a value');
      return { oid: oidText(expectTag(type, 0x06).content), value: attributeText(value) };
    }),
  );
  return { rdns, text: nameText(rdns), der: bytes };
}

/** Values of one attribute type in a name, in order. */
export function attributeValues(name: DistinguishedName, oid: string): string[] {
  return name.rdns.flat().flatMap(attribute => (attribute.oid === oid ? [attribute.value] : []));
}

function escaped(value: string): string {
  // RFC 4514 section 2.4: specials, a leading # or space, a trailing space, and NUL.
  const body = value.replace(/["+,;<>\\]/g, '\\$&').replaceAll('\0', '\\00');
  return body.replace(/^[# ]/, '\\$&').replace(/(?<!^\\) $/, '\\ ');
}

function nameText(rdns: readonly (readonly NameAttribute[])[]): string {
  const parts = rdns.map(rdn =>
    rdn.map(({ oid, value }) => `${shortNames.get(oid) ?? oid}=${escaped(value)}`).join('+'),
  );
  return parts.toReversed().join(',');
}
