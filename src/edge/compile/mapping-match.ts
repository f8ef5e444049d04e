import type { MappingSpec } from '../../api/getambassador/mapping.ts';
import { canonicalRulePath } from '../match/canonical-path.ts';
import { wholePattern } from '../match/find-mapping.ts';
import { parseRuleHost } from '../match/host.ts';
import type { FieldMatch, MappingHost, MappingMatch, TextMatch } from '../match/mapping-table.ts';
import { compilePattern } from '../match/path-pattern.ts';
import { quoted } from './quoted.ts';

/** Which requests a Mapping is for. */
export interface ReadMatch {
  readonly host: Omit<MappingHost, 'tiers'>;
  readonly match: MappingMatch;
}

/** What is wrong with a field, as a sentence. */
export interface MappingError {
  readonly field: 'host' | 'path' | 'match';
  readonly error: string;
}

/** Reads which requests a Mapping is for. One that is not understood whole is refused: it would take what is not its own. */
export function readMappingMatch(spec: MappingSpec): ReadMatch | MappingError {
  const host = readHost(spec);
  if ('error' in host) return host;
  const path = readPath(spec);
  if ('error' in path) return path;
  const method = readMethod(spec);
  if (method !== undefined && 'error' in method) return method;
  const headers = readFields('headers', spec.headers, spec.regex_headers, spec.v2BoolHeaders);
  if ('error' in headers) return headers;
  const query = readFields(
    'query_parameters',
    spec.query_parameters,
    spec.regex_query_parameters,
    spec.v2BoolQueryParameters,
  );
  if ('error' in query) return query;
  const lowered = headers.map(field => ({ ...field, name: field.name.toLowerCase() }));
  return { host, match: { ...path, method, headers: lowered, query } };
}

function readHost(spec: MappingSpec): Omit<MappingHost, 'tiers'> | MappingError {
  const written = spec.hostname ?? spec.host ?? '*';
  const field = spec.hostname === undefined && spec.host !== undefined ? 'host' : 'hostname';
  if (field === 'host' && spec.host_regex === true) {
    const error = patternError(written);
    if (error !== undefined) return wrong('host', `spec.host is ${quoted(written)}: ${error}`);
    // Matched against host names in lower case.
    return { hostname: `~${written}`, kind: 'pattern', text: written };
  }
  const hostname = written.toLowerCase().replace(/(?<=[^.])\.$/, '');
  if (hostname === '*' || hostname === '') return { hostname: '*', kind: 'any', text: '' };
  if (parseRuleHost(hostname) !== undefined && !hostname.startsWith('*'))
    return { hostname, kind: 'name', text: hostname };
  const text = hostname.replace('*', '');
  // Whatever the star stands for, what is beside it has to be a part of a name.
  if (/^[a-z0-9_.-]+$/.test(text) && !text.includes('..')) {
    if (hostname.startsWith('*')) return { hostname, kind: 'suffix', text };
    if (hostname.endsWith('*')) return { hostname, kind: 'prefix', text };
  }
  return wrong(
    'host',
    `spec.${field} is ${quoted(written)}: use a name, "*", or a name with one star at its beginning or end`,
  );
}

function readPath(spec: MappingSpec): Pick<MappingMatch, 'path' | 'prefix' | 'foldCase'> | MappingError {
  const foldCase = spec.case_sensitive === false;
  const named = `spec.prefix is ${quoted(spec.prefix)}`;
  if (spec.prefix_regex === true) {
    const error = patternError(spec.prefix, foldCase);
    if (error !== undefined) return wrong('path', `${named}: ${error}`);
    return { path: 'pattern', prefix: spec.prefix, foldCase };
  }
  const canonical = canonicalRulePath(spec.prefix);
  if (canonical === undefined) {
    return wrong(
      'path',
      `${named}: it must begin with "/" and hold no "..", "?", "#", backslash or broken percent-encoding`,
    );
  }
  const path = spec.prefix_exact === true ? 'exact' : 'prefix';
  return { path, prefix: foldCase ? canonical.toLowerCase() : canonical, foldCase };
}

function readMethod({ method, method_regex }: MappingSpec): TextMatch | undefined | MappingError {
  if (method === undefined || method === '' || method === '*') return undefined;
  if (method_regex !== true) return { value: method, pattern: undefined };
  const error = patternError(method);
  if (error !== undefined) return wrong('match', `spec.method is ${quoted(method)}: ${error}`);
  return { value: undefined, pattern: method };
}

function readFields(
  field: 'headers' | 'query_parameters',
  values: Readonly<Record<string, string>> = {},
  patterns: Readonly<Record<string, string>> = {},
  bare: readonly string[] = [],
): FieldMatch[] | MappingError {
  const read: FieldMatch[] = Object.entries(values).map(([name, value]) => ({
    name,
    value,
    pattern: undefined,
  }));
  for (const [name, pattern] of Object.entries(patterns)) {
    const error = patternError(pattern);
    if (error !== undefined)
      return wrong('match', `spec.regex_${field}[${quoted(name)}] is ${quoted(pattern)}: ${error}`);
    read.push({ name, value: undefined, pattern });
  }
  for (const name of bare) read.push({ name, value: undefined, pattern: undefined });
  // Sorted, so that the order in a manifest makes no difference.
  return read.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Both alone and closed at its ends: `a)|(b` is only the second. */
function patternError(source: string, ignoreCase = false): string | undefined {
  for (const pattern of [source, wholePattern(source)]) {
    const result = compilePattern(pattern, { ignoreCase });
    if ('error' in result) return `the regular expression is refused: ${result.error}`;
  }
  return undefined;
}

function wrong(field: MappingError['field'], error: string): MappingError {
  return { field, error };
}
