import {
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  NameConstraints as NameConstraintsSchema,
} from '@peculiar/asn1-x509';
import { damaged, decode, encode } from './asn1.ts';
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

function ia5(field: string, text: string): string {
  if (!/^[\x21-\x7e]+$/.test(text)) {
    throw new PkiError(
      'PKI_NAME_INVALID',
      `nameConstraints.${field}: ${JSON.stringify(text)} is not ASCII text`,
    );
  }
  return text;
}

/** The range with the bits past its prefix cleared. */
function ipRange(cidr: string): string {
  const [, address = '', bits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(cidr) ?? [];
  const octets = ipOctets(address);
  const prefix = Number(bits);
  if (octets === undefined || bits === '' || prefix > octets.length * 8) {
    throw new PkiError(
      'PKI_NAME_INVALID',
      `nameConstraints.ipRanges: ${JSON.stringify(cidr)} is not a range such as 10.0.0.0/8`,
    );
  }
  const cleared = octets.map(
    (octet, index) => octet & (0xff00 >> Math.min(8, Math.max(0, prefix - index * 8))),
  );
  return `${ipText(cleared)}/${prefix}`;
}

function encodeSubtrees(subtrees: NameConstraintSubtrees | undefined): GeneralSubtrees | undefined {
  const names = [
    ...(subtrees?.dnsDomains ?? []).map(name => ({ dNSName: ia5('dnsDomains', name) })),
    ...(subtrees?.ipRanges ?? []).map(cidr => ({ iPAddress: ipRange(cidr) })),
    ...(subtrees?.emailAddresses ?? []).map(name => ({ rfc822Name: ia5('emailAddresses', name) })),
    ...(subtrees?.uriDomains ?? []).map(name => ({ uniformResourceIdentifier: ia5('uriDomains', name) })),
  ];
  return names.length === 0
    ? undefined
    : new GeneralSubtrees(names.map(name => new GeneralSubtree({ base: new GeneralName(name) })));
}

/** The value of the nameConstraints extension; undefined where nothing is constrained. Throws PKI_NAME_INVALID. */
export function encodeNameConstraints(constraints: NameConstraints): Buffer | undefined {
  const permitted = encodeSubtrees(constraints.permitted);
  const excluded = encodeSubtrees(constraints.excluded);
  if (permitted === undefined && excluded === undefined) return undefined;
  return encode(
    new NameConstraintsSchema({
      ...(permitted && { permittedSubtrees: permitted }),
      ...(excluded && { excludedSubtrees: excluded }),
    }),
  );
}

function readSubtrees(subtrees: GeneralSubtrees): NameConstraintSubtrees {
  const found = {
    dnsDomains: [] as string[],
    ipRanges: [] as string[],
    emailAddresses: [] as string[],
    uriDomains: [] as string[],
  };
  for (const { base } of subtrees) {
    if (base.dNSName !== undefined) found.dnsDomains.push(base.dNSName);
    else if (base.rfc822Name !== undefined) found.emailAddresses.push(base.rfc822Name);
    else if (base.uniformResourceIdentifier !== undefined)
      found.uriDomains.push(base.uniformResourceIdentifier);
    else if (base.iPAddress?.includes('/')) found.ipRanges.push(base.iPAddress);
    else damaged('a name constraint of an unsupported kind');
  }
  return found;
}

/** Reads the value of a nameConstraints extension. Throws Asn1Error, also for kinds of names it does not know. */
export function readNameConstraints(value: ArrayBuffer, critical: boolean): NameConstraints {
  const found = decode(value, NameConstraintsSchema);
  const constraints = {
    critical,
    ...(found.permittedSubtrees && { permitted: readSubtrees(found.permittedSubtrees) }),
    ...(found.excludedSubtrees && { excluded: readSubtrees(found.excludedSubtrees) }),
  };
  // The library counts the bits of any mask as a prefix: where they do not come back as they were, they had gaps.
  if (!encode(found).equals(new Uint8Array(value))) damaged('a name constraint that cannot be read');
  return constraints;
}
