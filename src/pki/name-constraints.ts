import { childrenOf, DerError, type DerValue, expectTag, readDer } from './der/read.ts';
import { context, contextPrimitive, sequence } from './der/write.ts';
import { PkiError } from './errors.ts';
import { ipOctets, ipText } from './ip-address.ts';

/** `permitted` or `excluded` of `spec.nameConstraints`. */
export interface NameConstraintSubtrees {
  readonly dnsDomains?: readonly string[] | undefined;
  /** As CIDR: `10.0.0.0/8`, `fd00::/8`. */
  readonly ipRanges?: readonly string[] | undefined;
  readonly emailAddresses?: readonly string[] | undefined;
  readonly uriDomains?: readonly string[] | undefined;
}

/** `spec.nameConstraints` of a Certificate: what an authority may sign for. */
export interface NameConstraints {
  readonly critical?: boolean | undefined;
  readonly permitted?: NameConstraintSubtrees | undefined;
  readonly excluded?: NameConstraintSubtrees | undefined;
}

function ia5(field: string, text: string): Buffer {
  if (!/^[\x21-\x7e]+$/.test(text)) {
    throw new PkiError(
      'PKI_NAME_INVALID',
      `nameConstraints.${field}: ${JSON.stringify(text)} is not ASCII text`,
    );
  }
  return Buffer.from(text, 'latin1');
}

/** Address and mask, 8 or 32 octets (RFC 5280 section 4.2.1.10). */
function ipRange(cidr: string): Buffer {
  const [, address = '', bits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(cidr) ?? [];
  const octets = ipOctets(address);
  const prefix = Number(bits);
  if (octets === undefined || bits === '' || prefix > octets.length * 8) {
    throw new PkiError(
      'PKI_NAME_INVALID',
      `nameConstraints.ipRanges: ${JSON.stringify(cidr)} is not a range such as 10.0.0.0/8`,
    );
  }
  const mask = Buffer.from(octets.map((_, index) => 0xff00 >> Math.min(8, Math.max(0, prefix - index * 8))));
  return Buffer.concat([octets.map((octet, index) => octet & (mask[index] ?? 0)), mask]);
}

function encodeSubtrees(subtrees: NameConstraintSubtrees | undefined): Buffer[] {
  const names = [
    ...(subtrees?.dnsDomains ?? []).map(name => contextPrimitive(2, ia5('dnsDomains', name))),
    ...(subtrees?.ipRanges ?? []).map(cidr => contextPrimitive(7, ipRange(cidr))),
    ...(subtrees?.emailAddresses ?? []).map(name => contextPrimitive(1, ia5('emailAddresses', name))),
    ...(subtrees?.uriDomains ?? []).map(name => contextPrimitive(6, ia5('uriDomains', name))),
  ];
  return names.map(name => sequence(name));
}

/** The value of the nameConstraints extension; undefined where nothing is constrained. Throws PKI_NAME_INVALID. */
export function encodeNameConstraints(constraints: NameConstraints): Buffer | undefined {
  const permitted = encodeSubtrees(constraints.permitted);
  const excluded = encodeSubtrees(constraints.excluded);
  if (permitted.length + excluded.length === 0) return undefined;
  return sequence(
    ...(permitted.length > 0 ? [context(0, ...permitted)] : []),
    ...(excluded.length > 0 ? [context(1, ...excluded)] : []),
  );
}

function readSubtrees(subtrees: DerValue): NameConstraintSubtrees {
  const found = {
    dnsDomains: [] as string[],
    ipRanges: [] as string[],
    emailAddresses: [] as string[],
    uriDomains: [] as string[],
  };
  for (const subtree of childrenOf(subtrees)) {
    const [name] = childrenOf(expectTag(subtree, 0x30));
    const text = name?.content.toString('latin1') ?? '';
    if (name?.tag === 0x82) found.dnsDomains.push(text);
    else if (name?.tag === 0x81) found.emailAddresses.push(text);
    else if (name?.tag === 0x86) found.uriDomains.push(text);
    else if (name?.tag === 0x87) found.ipRanges.push(rangeText(name.content));
    else throw new DerError('a name constraint of an unsupported kind');
  }
  return found;
}

function rangeText(octets: Buffer): string {
  const half = octets.length / 2;
  const address = Number.isInteger(half) ? ipText(octets.subarray(0, half)) : undefined;
  const bits = [...octets.subarray(half)].map(octet => octet.toString(2).padStart(8, '0')).join('');
  const prefix = bits.indexOf('0') < 0 ? bits.length : bits.indexOf('0');
  if (address === undefined || bits.includes('1', prefix))
    throw new DerError('an IP range that cannot be read');
  return `${address}/${prefix}`;
}

/** Reads the value of a nameConstraints extension. Throws DerError, also for kinds of names it does not know. */
export function readNameConstraints(value: Buffer, critical: boolean): NameConstraints {
  const parts = childrenOf(readDer(value, 0x30));
  const permitted = parts.find(({ tag }) => tag === 0xa0);
  const excluded = parts.find(({ tag }) => tag === 0xa1);
  return {
    critical,
    ...(permitted === undefined ? {} : { permitted: readSubtrees(permitted) }),
    ...(excluded === undefined ? {} : { excluded: readSubtrees(excluded) }),
  };
}
