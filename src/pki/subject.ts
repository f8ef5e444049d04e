import {
  attributeOids,
  attributeValues,
  type DistinguishedName,
  distinguishedName,
  type NameAttribute,
} from './distinguished-name.ts';
import { PkiError } from './errors.ts';
import { parseLiteralSubject } from './literal-subject.ts';

/** `spec.subject` of a Certificate. */
export interface X509Subject {
  readonly organizations?: readonly string[] | undefined;
  readonly countries?: readonly string[] | undefined;
  readonly organizationalUnits?: readonly string[] | undefined;
  readonly localities?: readonly string[] | undefined;
  readonly provinces?: readonly string[] | undefined;
  readonly streetAddresses?: readonly string[] | undefined;
  readonly postalCodes?: readonly string[] | undefined;
  readonly serialNumber?: string | undefined;
}

/** What a Certificate's spec says of the subject. `literalSubject` stands alone: with it, the other two are not read. */
export interface SubjectSpec {
  readonly commonName?: string | undefined;
  readonly subject?: X509Subject | undefined;
  readonly literalSubject?: string | undefined;
}

const listFields = [
  // The order in which Go's pkix.Name encodes them, so that names match those of cert-manager byte for byte.
  ['countries', 'C'],
  ['organizations', 'O'],
  ['organizationalUnits', 'OU'],
  ['localities', 'L'],
  ['provinces', 'ST'],
  ['streetAddresses', 'STREET'],
  ['postalCodes', 'POSTALCODE'],
] as const;

const oidOf = (name: string): string => attributeOids[name] ?? '';

/** The distinguished name that a spec asks for; empty where it says nothing of it. Throws PKI_NAME_INVALID. */
export function subjectName(spec: SubjectSpec): DistinguishedName {
  if (spec.literalSubject !== undefined && spec.literalSubject !== '')
    return parseLiteralSubject(spec.literalSubject);
  const rdns: NameAttribute[][] = [];
  for (const [field, name] of listFields) {
    const values = spec.subject?.[field] ?? [];
    if (values.length > 0) rdns.push(values.map(value => ({ oid: oidOf(name), value })));
  }
  if (spec.commonName !== undefined && spec.commonName !== '') {
    if (Buffer.byteLength(spec.commonName) > 64) {
      // RFC 5280 appendix A.1, ub-common-name.
      throw new PkiError(
        'PKI_NAME_INVALID',
        `commonName ${JSON.stringify(spec.commonName)} is longer than 64 bytes; shorten it, or use dnsNames alone`,
      );
    }
    rdns.push([{ oid: oidOf('CN'), value: spec.commonName }]);
  }
  const serialNumber = spec.subject?.serialNumber;
  if (serialNumber !== undefined && serialNumber !== '')
    rdns.push([{ oid: oidOf('SERIALNUMBER'), value: serialNumber }]);
  return distinguishedName(rdns);
}

/** The last commonName of a name, which is the most particular; undefined where it has none. */
export function commonNameOf(name: DistinguishedName): string | undefined {
  return attributeValues(name, oidOf('CN')).at(-1);
}

/** The fields of `spec.subject`, each list there even when empty. */
export interface SubjectFields extends X509Subject {
  readonly organizations: readonly string[];
  readonly countries: readonly string[];
  readonly organizationalUnits: readonly string[];
  readonly localities: readonly string[];
  readonly provinces: readonly string[];
  readonly streetAddresses: readonly string[];
  readonly postalCodes: readonly string[];
}

/** What of `spec.subject` a name holds; lists are empty where it holds nothing. */
export function subjectFields(name: DistinguishedName): SubjectFields {
  const of = (short: string): string[] => attributeValues(name, oidOf(short));
  return {
    organizations: of('O'),
    countries: of('C'),
    organizationalUnits: of('OU'),
    localities: of('L'),
    provinces: of('ST'),
    streetAddresses: of('STREET'),
    postalCodes: of('POSTALCODE'),
    serialNumber: of('SERIALNUMBER').at(-1),
  };
}
