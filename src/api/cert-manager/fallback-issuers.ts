import { fallbackIssuersAnnotation } from '../annotations.ts';
import { type Problem, problemAt } from '../problem.ts';
import { isDnsSubdomain } from '../syntax.ts';
import type { Certificate } from './certificate.ts';
import { certManagerGroup, type FullIssuerRef, issuerRefOf, sameIssuer } from './issuer-ref.ts';

/** The issuers that a text names, or what the text must be, for a sentence about it. */
export type FallbackIssuers = { readonly issuers: readonly FullIssuerRef[] } | { readonly wanted: string };

const kindPattern = /^[A-Za-z][A-Za-z0-9]{0,62}$/;

/**
 * Reads the value of the annotation `postern.dev/fallback-issuers`: comma-separated, each `name` (an Issuer), `Kind/name`
 * (Issuer or ClusterIssuer), or `Kind.group/name` for the issuer of another controller.
 */
export function parseFallbackIssuers(text: string): FallbackIssuers {
  const issuers: FullIssuerRef[] = [];
  for (const entry of text.split(',').map(part => part.trim())) {
    if (entry === '') return { wanted: 'has an empty entry: name an issuer there, or take out the comma' };
    const parsed = parseEntry(entry);
    if (typeof parsed === 'string') return { wanted: `has ${JSON.stringify(entry.slice(0, 80))}: ${parsed}` };
    issuers.push(parsed);
  }
  return { issuers };
}

function parseEntry(entry: string): FullIssuerRef | string {
  const slash = entry.indexOf('/');
  const named = slash < 0 ? 'Issuer' : entry.slice(0, slash);
  const name = entry.slice(slash + 1);
  const dot = named.indexOf('.');
  const kind = dot < 0 ? named : named.slice(0, dot);
  const group = dot < 0 ? certManagerGroup : named.slice(dot + 1);
  if (!isDnsSubdomain(name) || !kindPattern.test(kind) || !isDnsSubdomain(group)) {
    return 'each must be name, Kind/name or Kind.group/name, such as "ClusterIssuer/backup"';
  }
  if (group === certManagerGroup && kind !== 'Issuer' && kind !== 'ClusterIssuer') {
    return 'the kind must be Issuer or ClusterIssuer: for an issuer of another kind, add its API group, as in "Kind.group/name"';
  }
  return { name, kind, group };
}

/**
 * The issuers of a Certificate in the order in which they are asked: that of spec.issuerRef, then those of the annotation
 * `postern.dev/fallback-issuers`; each once. A value that cannot be read counts as none: see `fallbackProblems`.
 */
export function issuersOf({
  metadata,
  spec,
}: Pick<Certificate, 'metadata' | 'spec'>): readonly [FullIssuerRef, ...FullIssuerRef[]] {
  const primary = issuerRefOf(spec.issuerRef);
  const text = metadata.annotations?.[fallbackIssuersAnnotation];
  if (text === undefined || text === '') return [primary];
  const parsed = parseFallbackIssuers(text);
  const named = 'issuers' in parsed ? parsed.issuers : [];
  const fallbacks = named.filter(
    (issuer, index) =>
      !sameIssuer(issuer, primary) && named.findIndex(each => sameIssuer(each, issuer)) === index,
  );
  return [primary, ...fallbacks];
}

/** What is wrong with the annotation `postern.dev/fallback-issuers`; nothing where it is absent or empty. */
export function fallbackProblems(certificate: Pick<Certificate, 'metadata'>): Problem[] {
  const text = certificate.metadata.annotations?.[fallbackIssuersAnnotation];
  const parsed = text === undefined || text === '' ? undefined : parseFallbackIssuers(text);
  if (parsed === undefined || 'issuers' in parsed) return [];
  return [problemAt(certificate, ['metadata', 'annotations', fallbackIssuersAnnotation], parsed.wanted)];
}
