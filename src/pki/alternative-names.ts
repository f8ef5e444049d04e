import {
  AttributeValue,
  GeneralName,
  OtherName as OtherNameSchema,
  SubjectAlternativeName,
} from '@peculiar/asn1-x509';
import { damaged, decode, encode } from './asn1.ts';
import { canonicalDnsName } from './dns-name.ts';
import { PkiError } from './errors.ts';
import { canonicalIp } from './ip-address.ts';
import { isOid } from './oid.ts';

/** An otherName whose value is a UTF8String, as a user principal name is. */
export interface OtherName {
  readonly oid: string;
  readonly utf8Value: string;
}

/** The subject alternative names a spec asks for, as its fields are called. */
export interface AlternativeNamesSpec {
  readonly dnsNames?: readonly string[] | undefined;
  readonly ipAddresses?: readonly string[] | undefined;
  readonly uris?: readonly string[] | undefined;
  readonly emailAddresses?: readonly string[] | undefined;
  readonly otherNames?: readonly OtherName[] | undefined;
}

/** The subject alternative names that were found. */
export interface AlternativeNames {
  /** As they stand, except lower case. */
  readonly dnsNames: readonly string[];
  /** In canonical form (RFC 5952 for IPv6). */
  readonly ipAddresses: readonly string[];
  readonly uris: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly otherNames: readonly OtherName[];
  /** Kinds of names that Postern does not read (`directoryName`, `registeredID`, ...), each once. */
  readonly unsupportedNames: readonly string[];
}

/** No alternative names at all. */
export const noAlternativeNames: AlternativeNames = Object.freeze({
  dnsNames: [],
  ipAddresses: [],
  uris: [],
  emailAddresses: [],
  otherNames: [],
  unsupportedNames: [],
});

const ascii = /^[\x21-\x7e]+$/;

function invalid(field: string, value: string, fix: string): never {
  throw new PkiError('PKI_NAME_INVALID', `${field}: ${JSON.stringify(value.slice(0, 300))} ${fix}`);
}

/**
 * The GeneralNames of a subjectAltName extension (RFC 5280 section 4.2.1.6), repeats left out; undefined
 * where there is no name. Throws PKI_NAME_INVALID that names the field and the value.
 */
export function encodeAlternativeNames(spec: AlternativeNamesSpec): Buffer | undefined {
  const names: GeneralName[] = [];
  for (const name of spec.dnsNames ?? []) {
    const dNSName =
      canonicalDnsName(name) ??
      invalid('dnsNames', name, 'is not a DNS name (IP addresses go into ipAddresses)');
    names.push(new GeneralName({ dNSName }));
  }
  for (const address of spec.ipAddresses ?? []) {
    const iPAddress = canonicalIp(address) ?? invalid('ipAddresses', address, 'is not an IP address');
    names.push(new GeneralName({ iPAddress }));
  }
  for (const uri of spec.uris ?? []) {
    if (!ascii.test(uri) || !URL.canParse(uri)) invalid('uris', uri, 'is not an absolute URI in ASCII');
    names.push(new GeneralName({ uniformResourceIdentifier: uri }));
  }
  for (const address of spec.emailAddresses ?? []) {
    if (!ascii.test(address) || !/^[^@<>]+@[^@<>]+$/.test(address)) {
      invalid('emailAddresses', address, 'is not a bare e-mail address (user@example.com)');
    }
    names.push(new GeneralName({ rfc822Name: address }));
  }
  for (const { oid, utf8Value } of spec.otherNames ?? []) {
    if (!isOid(oid)) invalid('otherNames', oid, 'is not an object identifier');
    const value = encode(new AttributeValue({ utf8String: utf8Value.toWellFormed() })).buffer;
    names.push(new GeneralName({ otherName: new OtherNameSchema({ typeId: oid, value }) }));
  }
  const distinct = [...new Map(names.map(name => [encode(name).toString('latin1'), name])).values()];
  return distinct.length === 0 ? undefined : encode(new SubjectAlternativeName(distinct));
}

const unsupportedKinds = ['x400Address', 'directoryName', 'ediPartyName', 'registeredID'] as const;

/** Reads the value of a subjectAltName extension. Throws Asn1Error. */
export function readAlternativeNames(value: ArrayBuffer): AlternativeNames {
  const found = {
    dnsNames: [] as string[],
    ipAddresses: [] as string[],
    uris: [] as string[],
    emailAddresses: [] as string[],
    otherNames: [] as OtherName[],
  };
  const unsupported = new Set<string>();
  for (const name of decode(value, SubjectAlternativeName)) {
    if (name.dNSName !== undefined) found.dnsNames.push(ia5(name.dNSName).toLowerCase());
    else if (name.rfc822Name !== undefined) found.emailAddresses.push(ia5(name.rfc822Name));
    else if (name.uniformResourceIdentifier !== undefined)
      found.uris.push(ia5(name.uniformResourceIdentifier));
    else if (name.iPAddress !== undefined)
      found.ipAddresses.push(canonicalIp(name.iPAddress) ?? damaged('an IP address of wrong length'));
    else {
      const utf8Value = name.otherName && decode(name.otherName.value, AttributeValue).utf8String;
      if (name.otherName && utf8Value !== undefined)
        found.otherNames.push({ oid: name.otherName.typeId, utf8Value });
      else unsupported.add(unsupportedKinds.find(kind => name[kind] !== undefined) ?? 'otherName');
    }
  }
  return { ...found, unsupportedNames: [...unsupported] };
}

function ia5(text: string): string {
  // A NUL or a non-ASCII octet has been used to make two readers see two names (CVE-2009-2408).
  return /^\p{ASCII}*$/u.test(text) && !text.includes('\0') ? text : damaged('a name that is not ASCII text');
}

/**
 * The names in OpenSSL's text of a subjectAltName, as node:crypto gives it, where DNS names and IP addresses are all
 * there is and none of them is quoted; else undefined. It spares most certificates the reading of their ASN.1.
 */
export function plainAlternativeNames(text: string): AlternativeNames | undefined {
  const dnsNames: string[] = [];
  const ipAddresses: string[] = [];
  for (const part of text.split(', ')) {
    const [, dnsName, address] = /^(?:DNS:([\w*.-]+)|IP Address:([\d.A-F:]+))$/.exec(part) ?? [];
    const ip = address && canonicalIp(address);
    if (dnsName !== undefined) dnsNames.push(dnsName.toLowerCase());
    else if (ip !== undefined) ipAddresses.push(ip);
    else return undefined;
  }
  return { ...noAlternativeNames, dnsNames, ipAddresses };
}
