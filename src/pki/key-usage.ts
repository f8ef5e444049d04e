import { ExtendedKeyUsage, KeyUsage, KeyUsageFlags } from '@peculiar/asn1-x509';
import { decode, encode } from './asn1.ts';
import { PkiError } from './errors.ts';

/** Bits of the keyUsage extension (RFC 5280 section 4.2.1.3). */
const keyUsageBits = {
  'digital signature': KeyUsageFlags.digitalSignature,
  'content commitment': KeyUsageFlags.nonRepudiation,
  'key encipherment': KeyUsageFlags.keyEncipherment,
  'data encipherment': KeyUsageFlags.dataEncipherment,
  'key agreement': KeyUsageFlags.keyAgreement,
  'cert sign': KeyUsageFlags.keyCertSign,
  'crl sign': KeyUsageFlags.cRLSign,
  'encipher only': KeyUsageFlags.encipherOnly,
  'decipher only': KeyUsageFlags.decipherOnly,
} as const;

/** Purposes of the extKeyUsage extension (RFC 5280 section 4.2.1.12, and those of Go's crypto/x509). */
const extendedUsageOids = {
  any: '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
} as const;

/** Second names for the same thing, taken but never given back. */
const synonyms = { signing: 'digital signature', 's/mime': 'email protection' } as const;

type BitUsage = keyof typeof keyUsageBits;
type ExtendedUsage = keyof typeof extendedUsageOids;

/** A usage as `spec.usages` of a Certificate spells it. */
export type KeyUsageName = BitUsage | ExtendedUsage | keyof typeof synonyms;

/** Every usage there is, in the order of the public API. */
export const keyUsageNames: readonly KeyUsageName[] = [
  'signing',
  'digital signature',
  'content commitment',
  'key encipherment',
  'key agreement',
  'data encipherment',
  'cert sign',
  'crl sign',
  'encipher only',
  'decipher only',
  'any',
  'server auth',
  'client auth',
  'code signing',
  'email protection',
  's/mime',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'timestamping',
  'ocsp signing',
  'microsoft sgc',
  'netscape sgc',
];

/** What a certificate is for where its spec does not say. */
export const defaultUsages: readonly KeyUsageName[] = ['digital signature', 'key encipherment'];

/** Usages with synonyms resolved and repeats left out. Throws PKI_UNSUPPORTED for a name that is no usage. */
export function canonicalUsages(usages: readonly string[]): KeyUsageName[] {
  const canonical = usages.map(usage => {
    const name = Object.hasOwn(synonyms, usage) ? synonyms[usage as keyof typeof synonyms] : usage;
    if (Object.hasOwn(keyUsageBits, name) || Object.hasOwn(extendedUsageOids, name))
      return name as KeyUsageName;
    throw new PkiError(
      'PKI_UNSUPPORTED',
      `usages: ${JSON.stringify(usage)} is no usage; use one of ${keyUsageNames.join(', ')}`,
    );
  });
  return [...new Set(canonical)];
}

/**
 * What a certificate with these usages carries: the default ones where the list is empty or not there, and
 * `cert sign` for a certificate authority.
 */
export function effectiveUsages(usages: readonly string[] | undefined, isCA: boolean): KeyUsageName[] {
  const named = canonicalUsages(usages === undefined || usages.length === 0 ? defaultUsages : usages);
  return isCA && !named.includes('cert sign') ? [...named, 'cert sign'] : named;
}

/** The value of the keyUsage extension; undefined where no usage is one of its bits. */
export function encodeKeyUsage(usages: readonly KeyUsageName[]): Buffer | undefined {
  let flags = 0;
  for (const usage of usages) if (usage in keyUsageBits) flags |= keyUsageBits[usage as BitUsage];
  return flags === 0 ? undefined : encode(new KeyUsage(flags));
}

/** The value of the extKeyUsage extension; undefined where no usage is one of its purposes. */
export function encodeExtendedKeyUsage(usages: readonly KeyUsageName[]): Buffer | undefined {
  const oids = usages.flatMap(usage =>
    usage in extendedUsageOids ? [extendedUsageOids[usage as ExtendedUsage]] : [],
  );
  return oids.length === 0 ? undefined : encode(new ExtendedKeyUsage(oids));
}

/** Reads the value of a keyUsage extension. Throws Asn1Error. */
export function readKeyUsage(value: ArrayBuffer): KeyUsageName[] {
  const flags = decode(value, KeyUsage).toNumber();
  return Object.entries(keyUsageBits).flatMap(([name, bit]) =>
    (flags & bit) === 0 ? [] : [name as BitUsage],
  );
}

const usageOf = new Map<string, KeyUsageName>(
  Object.entries(extendedUsageOids).map(([name, oid]) => [oid, name as ExtendedUsage]),
);

/** Reads the value of an extKeyUsage extension; purposes without a name here are left out. Throws Asn1Error. */
export function readExtendedKeyUsage(value: ArrayBuffer): KeyUsageName[] {
  return [...decode(value, ExtendedKeyUsage)].flatMap(oid => usageOf.get(oid) ?? []);
}
