import { oidText } from './der/oid.ts';
import { childrenOf, DerError, type DerValue, expectTag, readBoolean, readDer } from './der/read.ts';
import { contextPrimitive, derTrue, objectIdentifier, octetString, sequence } from './der/write.ts';

/** Extensions that Postern reads or writes (RFC 5280 section 4.2). */
export const extensionOids = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  authorityKeyIdentifier: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
} as const;

/** One extension; `value` is the DER inside its OCTET STRING. */
export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Buffer;
}

/** An extension, or nothing where `value` is undefined. */
export function extension(
  name: keyof typeof extensionOids,
  critical: boolean,
  value: Buffer | undefined,
): Extension[] {
  return value === undefined ? [] : [{ oid: extensionOids[name], critical, value }];
}

/** The SEQUENCE OF Extension. */
export function encodeExtensions(extensions: readonly Extension[]): Buffer {
  return sequence(
    ...extensions.map(({ oid, critical, value }) =>
      sequence(objectIdentifier(oid), ...(critical ? [derTrue] : []), octetString(value)),
    ),
  );
}

/** Reads a SEQUENCE OF Extension into a map by object identifier. Throws DerError, also for a repeated one. */
export function readExtensions(list: DerValue): ReadonlyMap<string, Extension> {
  const found = new Map<string, Extension>();
  for (const item of childrenOf(expectTag(list, 0x30))) {
    const parts = childrenOf(expectTag(item, 0x30));
    const oid = oidText(expectTag(parts[0], 0x06).content);
    const [, second] = parts;
    const critical = second?.tag === 0x01 && readBoolean(second);
    if (found.has(oid)) throw new DerError('the same extension twice');
    found.set(oid, { oid, critical, value: expectTag(parts[second?.tag === 0x01 ? 2 : 1], 0x04).content });
  }
  return found;
}

/** The value of basicConstraints. `pathLength` is left to the authority above. */
export function encodeBasicConstraints(isCA: boolean): Buffer {
  return isCA ? sequence(derTrue) : sequence();
}

/** Whether basicConstraints say that the subject is an authority. Throws DerError. */
export function readBasicConstraints(value: Buffer): boolean {
  const [first] = childrenOf(readDer(value, 0x30));
  return first?.tag === 0x01 && readBoolean(first);
}

/** The keyIdentifier of authorityKeyIdentifier; undefined where it names the authority in another way. Throws DerError. */
export function readAuthorityKeyId(value: Buffer): Buffer | undefined {
  return childrenOf(readDer(value, 0x30)).find(({ tag }) => tag === 0x80)?.content;
}

/** The value of authorityKeyIdentifier with a keyIdentifier alone. */
export function encodeAuthorityKeyId(keyId: Uint8Array): Buffer {
  return sequence(contextPrimitive(0, keyId));
}
