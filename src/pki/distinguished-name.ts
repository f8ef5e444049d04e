import { AttributeTypeAndValue, AttributeValue, Name, RelativeDistinguishedName } from '@peculiar/asn1-x509';
import { BaseStringBlock, fromBER } from 'asn1js';
import { damaged, decode, encode } from './asn1.ts';

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

function encodedAttribute({ oid, value }: NameAttribute): AttributeTypeAndValue {
  const kind =
    ia5Attributes.has(oid) && /^\p{ASCII}*$/u.test(value)
      ? 'ia5String'
      : printableAttributes.has(oid) && printable.test(value)
        ? 'printableString'
        : 'utf8String';
  return new AttributeTypeAndValue({
    type: oid,
    value: new AttributeValue({ [kind]: value.toWellFormed() }),
  });
}

/** The name made of these relative names. Attributes of one relative name take the order that DER gives a SET. */
export function distinguishedName(rdns: readonly (readonly NameAttribute[])[]): DistinguishedName {
  const sorted = rdns.map(rdn =>
    rdn
      .map(attribute => ({ attribute, schema: encodedAttribute(attribute) }))
      .toSorted((a, b) => Buffer.compare(encode(a.schema), encode(b.schema))),
  );
  const ordered = sorted.map(rdn => rdn.map(({ attribute }) => attribute));
  const name = new Name(sorted.map(rdn => new RelativeDistinguishedName(rdn.map(({ schema }) => schema))));
  return { rdns: ordered, text: nameText(ordered), der: encode(name) };
}

/** The schema knows the string types that RFC 5280 names; some names in use have NumericString or VisibleString. */
function attributeText(value: AttributeValue): string {
  if (value.anyValue === undefined) return value.toString();
  const { result } = fromBER(value.anyValue);
  return result instanceof BaseStringBlock ? result.getValue() : damaged('a name attribute that is no text');
}

/**
 * The name that was read as `name` out of `bytes`. Throws Asn1Error where the schema does not give back its octets, as for
 * text that is not what its type says: an authority's name must go into what it signs octet by octet.
 */
export function nameIn(bytes: Buffer, name: Name): DistinguishedName {
  const der = encode(name);
  if (!bytes.includes(der)) damaged('a name with text that cannot be read');
  const rdns = [...name].map(rdn =>
    [...rdn].map(({ type, value }) => ({ oid: type, value: attributeText(value) })),
  );
  return { rdns, text: nameText(rdns), der };
}

/** Reads an encoded Name. Throws Asn1Error. */
export function readName(bytes: Buffer): DistinguishedName {
  return nameIn(bytes, decode(bytes, Name));
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
