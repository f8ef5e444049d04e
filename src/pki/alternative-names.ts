import { isOid, oidText } from './der/oid.ts';
import { childrenOf, DerError, type DerValue, expectTag, readDer } from './der/read.ts';
import { context, contextPrimitive, objectIdentifier, sequence, utf8String } from './der/write.ts';
import { canonicalDnsName } from './dns-name.ts';
import { PkiError } from './errors.ts';
import { ipOctets, ipText } from './ip-address.ts';

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
  const names: Buffer[] = [];
  for (const name of new Set(spec.dnsNames)) {
    const canonical = canonicalDnsName(name);
    if (canonical === undefined)
      invalid('dnsNames', name, 'is not a DNS name (IP addresses go into ipAddresses)');
    names.push(contextPrimitive(2, Buffer.from(canonical, 'latin1')));
  }
  for (const address of new Set(spec.ipAddresses)) {
    names.push(
      contextPrimitive(7, ipOctets(address) ?? invalid('ipAddresses', address, 'is not an IP address')),
    );
  }
  for (const uri of new Set(spec.uris)) {
    if (!ascii.test(uri) || !URL.canParse(uri)) invalid('uris', uri, 'is not an absolute URI in ASCII');
    names.push(contextPrimitive(6, Buffer.from(uri, 'latin1')));
  }
  for (const address of new Set(spec.emailAddresses)) {
    if (!ascii.test(address) || !/^[^@<>]+@[^@<>]+$/.test(address)) {
      invalid('emailAddresses', address, 'is not a bare e-mail address (user@example.com)');
    }
    names.push(contextPrimitive(1, Buffer.from(address, 'latin1')));
  }
  for (const { oid, utf8Value } of spec.otherNames ?? []) {
    if (!isOid(oid)) invalid('otherNames', oid, 'is not an object identifier');
    names.push(context(0, objectIdentifier(oid), context(0, utf8String(utf8Value))));
  }
  const distinct = [...new Map(names.map(name => [name.toString('latin1'), name])).values()];
  return distinct.length === 0 ? undefined : sequence(...distinct);
}

const unsupportedKinds: Readonly<Record<number, string>> = {
  0xa0: 'otherName',
  0xa3: 'x400Address',
  0xa4: 'directoryName',
  0xa5: 'ediPartyName',
  0x88: 'registeredID',
};

/** Reads the value of a subjectAltName extension. Throws DerError. */
export function readAlternativeNames(value: Buffer): AlternativeNames {
  const found = {
    dnsNames: [] as string[],
    ipAddresses: [] as string[],
    uris: [] as string[],
    emailAddresses: [] as string[],
    otherNames: [] as OtherName[],
  };
  const unsupported = new Set<string>();
  for (const name of childrenOf(readDer(value, 0x30))) {
    if (name.tag === 0x82) found.dnsNames.push(ia5(name).toLowerCase());
    else if (name.tag === 0x81) found.emailAddresses.push(ia5(name));
    else if (name.tag === 0x86) found.uris.push(ia5(name));
    else if (name.tag === 0x87)
      found.ipAddresses.push(ipText(name.content) ?? bad('an IP address of wrong length'));
    else {
      const other = name.tag === 0xa0 ? readOtherName(name) : undefined;
      if (other === undefined) unsupported.add(unsupportedKinds[name.tag] ?? bad('an unknown kind of name'));
      else found.otherNames.push(other);
    }
  }
  return { ...found, unsupportedNames: [...unsupported] };
}

function bad(what: string): never {
  throw new DerError(what);
}

function ia5(name: DerValue): string {
  // A NUL or a non-ASCII octet has been used to make two readers see two names (CVE-2009-2408).
  if (name.content.some(octet => octet === 0 || octet > 0x7f)) bad('a name that is not ASCII text');
  return name.content.toString('latin1');
}

/** Undefined where the value is no UTF8String. */
function readOtherName(name: DerValue): OtherName | undefined {
  const [type, wrapped] = childrenOf(name);
  const [value] = childrenOf(expectTag(wrapped, 0xa0));
  const oid = oidText(expectTag(type, 0x06).content);
  return value?.tag === 0x0c ? { oid, utf8Value: value.content.toString('utf8') } : undefined;
}
