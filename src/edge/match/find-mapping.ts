import type { HeaderFields } from '../exchange/header-fields.ts';
import type { RequestHost } from './host.ts';
import { patternMatches } from './known-patterns.ts';
import {
  compareMappingOrder,
  type FieldMatch,
  type MappingHost,
  type MappingMatch,
  type MappingRoute,
  type MappingTier,
  type TextMatch,
} from './mapping-table.ts';

/** What Mappings look at beside host and path. */
export interface MappingRequest {
  readonly method: string;
  /** From the question mark on, or `''`. */
  readonly query: string;
  readonly fields: HeaderFields;
}

/** A Mapping that was found, and whether it is of a host that it names. */
export interface FoundMapping {
  readonly found: MappingRoute;
  readonly anyHost: boolean;
}

/**
 * The Mapping for a request: of all whose hostname covers the host, the first in Emissary's order that matches. A host
 * that is an address, or none, is covered by `*` alone (edge.md, statement 4).
 */
export function findMapping(
  mappings: ReadonlyMap<string, MappingHost>,
  host: RequestHost,
  path: string,
  request: MappingRequest,
): FoundMapping | undefined {
  let best: FoundMapping | undefined;
  const consider = (candidates: MappingHost | undefined): void => {
    const found = candidates && findInHost(candidates.tiers, host.name, path, request);
    if (found === undefined || (best && compareMappingOrder(best.found.order, found.order) <= 0)) return;
    best = { found, anyHost: candidates?.kind === 'any' };
  };
  consider(mappings.get('*'));
  if (host.nameless) return best;
  consider(mappings.get(host.name));
  for (const candidates of globsOf(mappings)) if (covers(candidates, host.name)) consider(candidates);
  return best;
}

/** The hostnames that are neither a name nor `*`; found once for each table. */
const globs = new WeakMap<ReadonlyMap<string, MappingHost>, readonly MappingHost[]>();

function globsOf(mappings: ReadonlyMap<string, MappingHost>): readonly MappingHost[] {
  const known = globs.get(mappings);
  if (known !== undefined) return known;
  const found = [...mappings.values()].filter(({ kind }) => kind !== 'name' && kind !== 'any');
  globs.set(mappings, found);
  return found;
}

/** Whether a Mapping names the host, by name or by glob: `*` alone names none. */
export function namedByMapping(mappings: ReadonlyMap<string, MappingHost>, name: string): boolean {
  return mappings.has(name) || globsOf(mappings).some(candidates => covers(candidates, name));
}

function covers({ kind, text }: Pick<MappingHost, 'kind' | 'text'>, name: string): boolean {
  // The star stands for something: `*.foo.com` is not `.foo.com`.
  if (kind === 'suffix') return name.length > text.length && name.endsWith(text);
  if (kind === 'prefix') return name.length > text.length && name.startsWith(text);
  return kind === 'pattern' && wholeMatch(text, name);
}

function findInHost(
  tiers: readonly MappingTier[],
  name: string,
  path: string,
  request: MappingRequest,
): MappingRoute | undefined {
  let folded: string | undefined;
  for (const tier of tiers) {
    let best: MappingRoute | undefined;
    const consider = (candidates: readonly MappingRoute[] | undefined): void => {
      const found = candidates?.find(
        ({ within, match }) =>
          (within === undefined || covers(within, name)) && matches(match, path, request),
      );
      if (found !== undefined && (!best || compareMappingOrder(found.order, best.order) < 0)) best = found;
    };
    if (tier.length <= path.length) {
      consider(tier.byPrefix.get(path.slice(0, tier.length)));
      if (tier.byFoldedPrefix.size > 0) {
        folded ??= path.toLowerCase();
        consider(tier.byFoldedPrefix.get(folded.slice(0, tier.length)));
      }
    }
    consider(tier.patterns);
    if (best !== undefined) return best;
  }
  return undefined;
}

/** Prefixes have been compared already. */
function matches(match: MappingMatch, path: string, { method, query, fields }: MappingRequest): boolean {
  if (match.path === 'exact' && path.length !== match.prefix.length) return false;
  if (match.path === 'pattern' && !wholeMatch(match.prefix, path, match.foldCase)) return false;
  if (match.method !== undefined && !fits(match.method, method)) return false;
  for (const field of match.headers) if (!fits(field, headerValue(fields, field.name))) return false;
  for (const field of match.query) if (!fits(field, parameterValue(query, field))) return false;
  return true;
}

function fits({ value, pattern }: TextMatch, text: string | undefined): boolean {
  if (text === undefined) return false;
  if (value !== undefined) return text === value;
  return pattern === undefined || wholeMatch(pattern, text);
}

/** Repeated fields as one (RFC 9110 section 5.3), so that none of them can be hidden behind another. */
function headerValue(fields: HeaderFields, name: string): string | undefined {
  let joined: string | undefined;
  for (let at = 0; at < fields.count; at += 1) {
    if (fields.name(at) !== name) continue;
    joined = joined === undefined ? fields.value(at) : `${joined},${fields.value(at)}`;
  }
  return joined;
}

/** The first value of a parameter, as it stands in the query. */
function parameterValue(query: string, { name }: FieldMatch): string | undefined {
  for (const part of query.slice(1).split('&')) {
    const equals = part.indexOf('=');
    if ((equals < 0 ? part : part.slice(0, equals)) === name) return equals < 0 ? '' : part.slice(equals + 1);
  }
  return undefined;
}

function wholeMatch(source: string, text: string, ignoreCase = false): boolean {
  return patternMatches(wholePattern(source), text, ignoreCase);
}

/** A pattern that must match from end to end, as Envoy's do. */
export function wholePattern(source: string): string {
  return `^(?:${source})$`;
}
