import forge from 'node-forge';

// node-forge's ASN.1 values, made in one word each. Its strings hold one octet a character.

const { asn1, pki } = forge;
const { UNIVERSAL, CONTEXT_SPECIFIC } = asn1.Class;
const { BMPSTRING, INTEGER, NONE, NULL, OCTETSTRING, OID, SEQUENCE, SET } = asn1.Type;

export type Asn1 = forge.asn1.Asn1;

export const octetsOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
export const derOf = (value: Asn1): string => asn1.toDer(value).getBytes();

export const sequence = (...parts: Asn1[]): Asn1 => asn1.create(UNIVERSAL, SEQUENCE, true, parts);
export const setOf = (...parts: Asn1[]): Asn1 => asn1.create(UNIVERSAL, SET, true, parts);
/** `[0] EXPLICIT`. */
export const explicit = (value: Asn1): Asn1 => asn1.create(CONTEXT_SPECIFIC, NONE, true, [value]);
/** `[0] IMPLICIT OCTET STRING`. */
export const implicit = (octets: string): Asn1 => asn1.create(CONTEXT_SPECIFIC, NONE, false, octets);
export const octetString = (octets: string): Asn1 => asn1.create(UNIVERSAL, OCTETSTRING, false, octets);
export const bmpString = (text: string): Asn1 => asn1.create(UNIVERSAL, BMPSTRING, false, text);
export const integer = (value: number): Asn1 =>
  asn1.create(UNIVERSAL, INTEGER, false, asn1.integerToDer(value).getBytes());
export const derNull = (): Asn1 => asn1.create(UNIVERSAL, NULL, false, '');
/** An OBJECT IDENTIFIER, by the name that node-forge has for it, or in dotted form. */
export const oid = (name: string): Asn1 =>
  asn1.create(UNIVERSAL, OID, false, asn1.oidToDer(pki.oids[name] ?? name).getBytes());
