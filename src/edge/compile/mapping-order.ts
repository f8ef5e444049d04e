import type { MappingSpec } from '../../api/getambassador/mapping.ts';
import type { FieldMatch, MappingOrder } from '../match/mapping-table.ts';
import type { ReadMatch } from './mapping-match.ts';

/** Where a Mapping stands among others. Hosts and methods count as matches of headers, as in Emissary. */
export function mappingOrder(spec: MappingSpec, { host, match }: ReadMatch, name: string): MappingOrder {
  const authority = host.kind === 'any' ? 0 : lengthOf(':authority', host.text);
  const method =
    match.method === undefined ? 0 : lengthOf(':method', match.method.value ?? match.method.pattern);
  return {
    precedence: spec.precedence ?? 0,
    length: match.prefix.length,
    headers: authority + method + totalOf(match.headers),
    query: totalOf(match.query),
    prefix: match.prefix,
    method: match.method?.value ?? match.method?.pattern ?? '',
    name,
  };
}

/** Equal for Mappings that want the same requests, and so share them by weight. */
export function mappingGroupKey(spec: MappingSpec, { host, match }: ReadMatch): string {
  return JSON.stringify([host.hostname, match, spec.precedence ?? 0]);
}

function totalOf(fields: readonly FieldMatch[]): number {
  return fields.reduce(
    (sum, { name, value, pattern }) =>
      sum + lengthOf(name, value ?? pattern) + (pattern === undefined ? 0 : 1),
    0,
  );
}

function lengthOf(name: string, value: string | undefined): number {
  return name.length + (value === undefined || value === '' ? 1 : value.length);
}
