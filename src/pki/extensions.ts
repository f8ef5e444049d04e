import { OctetString } from '@peculiar/asn1-schema';
import {
  AuthorityKeyIdentifier,
  BasicConstraints,
  Extension,
  type Extensions,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_cRLDistributionPoints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_nameConstraints,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_pe_authorityInfoAccess,
} from '@peculiar/asn1-x509';
import { damaged, decode } from './asn1.ts';

/** Extensions that Postern reads or writes (RFC 5280 section 4.2). */
const extensionOids = {
  subjectKeyIdentifier: id_ce_subjectKeyIdentifier,
  keyUsage: id_ce_keyUsage,
  subjectAltName: id_ce_subjectAltName,
  basicConstraints: id_ce_basicConstraints,
  nameConstraints: id_ce_nameConstraints,
  crlDistributionPoints: id_ce_cRLDistributionPoints,
  authorityKeyIdentifier: id_ce_authorityKeyIdentifier,
  extKeyUsage: id_ce_extKeyUsage,
  authorityInfoAccess: id_pe_authorityInfoAccess,
} as const;

type ExtensionName = keyof typeof extensionOids;

/** An extension with the DER `value`, or nothing where `value` is undefined. */
export function extension(name: ExtensionName, critical: boolean, value: Buffer | undefined): Extension[] {
  if (value === undefined) return [];
  return [new Extension({ extnID: extensionOids[name], critical, extnValue: new OctetString(value) })];
}

/** Gives what `read` makes of an extension's DER; undefined where there is no such extension. Throws what `read` throws. */
export type ReadExtension = <T>(
  name: ExtensionName,
  read: (value: ArrayBuffer, critical: boolean) => T,
) => T | undefined;

/** How to read the extensions in `list`. Throws Asn1Error where one is there twice. */
export function extensionsIn(list: Extensions | undefined): ReadExtension {
  const byOid = new Map(list?.map(each => [each.extnID, each]));
  if (byOid.size !== (list?.length ?? 0)) damaged('the same extension twice');
  return (name, read) => {
    const found = byOid.get(extensionOids[name]);
    return found && read(found.extnValue.buffer, found.critical);
  };
}

/** Whether the value of basicConstraints says that the subject is an authority. Throws Asn1Error. */
export function readBasicConstraints(value: ArrayBuffer): boolean {
  return decode(value, BasicConstraints).cA;
}

/** The keyIdentifier of authorityKeyIdentifier; undefined where it names the authority in another way. Throws Asn1Error. */
export function readAuthorityKeyId(value: ArrayBuffer): Buffer | undefined {
  const { keyIdentifier } = decode(value, AuthorityKeyIdentifier);
  return keyIdentifier && Buffer.from(keyIdentifier.buffer);
}
