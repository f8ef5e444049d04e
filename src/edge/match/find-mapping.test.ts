import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MappingSpec } from '../../api/getambassador/mapping.ts';
import { aMapping, compileEmissary, mappedTo } from '../compile/mappings.testing.ts';

/** A Mapping of few letters, so that many of them meet. */
const specs = fc.record<Partial<MappingSpec>>(
  {
    hostname: fc.constantFrom('*', 'a.x', 'b.x', '*.x', 'a.*', '*a.x'),
    prefix: fc.constantFrom('/', '/a', '/A', '/a/', '/a/b', '/ab', '/b'),
    prefix_exact: fc.constantFrom(undefined, true),
    case_sensitive: fc.constantFrom(undefined, false),
    precedence: fc.constantFrom(undefined, 0, 1, -1),
    method: fc.constantFrom(undefined, 'GET', 'PUT'),
    headers: fc.constantFrom(undefined, { h: '1' }, { h: '2', longer: '1' }),
    query_parameters: fc.constantFrom(undefined, { q: '1' }),
  },
  { requiredKeys: ['hostname', 'prefix'] },
);

const requests = fc.record({
  host: fc.constantFrom('a.x', 'b.x', 'c.a.x', 'x', 'a.y', '10.0.0.1'),
  path: fc.constantFrom('/', '/a', '/A/', '/a/b', '/a/bc', '/abc', '/b', '/c'),
  method: fc.constantFrom('GET', 'PUT', 'POST'),
  fields: fc.constantFrom<string[]>([], ['H', '1'], ['h', '2', 'longer', '1'], ['h', '1', 'h', '1']),
  query: fc.constantFrom('', '?q=1', '?p&q=2', '?q=1&q=2'),
});

type Spec = Partial<MappingSpec>;
type Request = typeof requests extends fc.Arbitrary<infer T> ? T : never;

/** The rules one by one, written down without a table (edge.md, section 3). */
function isFor(spec: Spec, { host, path, method, fields, query }: Request): boolean {
  const { hostname = '*', prefix = '' } = spec;
  const star = hostname.indexOf('*');
  const isAddress = /^[\d.]+$/.test(host);
  const rest = hostname.replace('*', '');
  const hostFits =
    hostname === '*' ||
    (!isAddress &&
      (star < 0
        ? host === hostname
        : host.length > rest.length && (star === 0 ? host.endsWith(rest) : host.startsWith(rest))));
  const fold = (text: string): string => (spec.case_sensitive === false ? text.toLowerCase() : text);
  const pathFits =
    spec.prefix_exact === true ? fold(path) === fold(prefix) : fold(path).startsWith(fold(prefix));
  const valueOf = (name: string): string | undefined => {
    const values = fields.filter((_, at) => at % 2 === 1 && fields[at - 1]?.toLowerCase() === name);
    return values.length === 0 ? undefined : values.join(',');
  };
  const headersFit = Object.entries(spec.headers ?? {}).every(([name, value]) => valueOf(name) === value);
  const first = query
    .slice(1)
    .split('&')
    .find(part => part.startsWith('q='));
  const queryFits = spec.query_parameters === undefined || first === 'q=1';
  return (
    hostFits && pathFits && headersFit && queryFits && (spec.method === undefined || spec.method === method)
  );
}

/** By what Mappings are ordered; later ones are compared where earlier ones are equal. */
function rankOf(spec: Spec): (number | string)[] {
  const { hostname = '*', prefix = '', headers = {}, query_parameters = {}, method } = spec;
  const lengthOf = (fields: Record<string, string>): number =>
    Object.entries(fields).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  const authority = hostname === '*' ? 0 : ':authority'.length + hostname.replace('*', '').length;
  const verb = method === undefined ? 0 : ':method'.length + method.length;
  const folded = spec.case_sensitive === false ? prefix.toLowerCase() : prefix;
  return [
    spec.precedence ?? 0,
    prefix.length,
    authority + verb + lengthOf(headers),
    lengthOf(query_parameters),
    folded,
    method ?? '',
  ];
}

function isBefore(a: Spec, b: Spec): boolean {
  const [left, right] = [rankOf(a), rankOf(b)];
  const at = left.findIndex((value, index) => value !== right[index]);
  return at >= 0 && (left[at] ?? 0) > (right[at] ?? 0);
}

describe('a look-up among Mappings', () => {
  it('finds what the rules, gone through one by one, find', () => {
    fc.assert(
      fc.property(
        fc.array(specs, { maxLength: 12 }),
        fc.array(requests, { minLength: 1, maxLength: 6 }),
        (all, asked) => {
          const mappings = all.map((spec, index) => aMapping(spec, `m${String(index).padStart(2, '0')}`));
          const result = compileEmissary({ mappings });
          for (const request of asked) {
            const fitting = all.filter(spec => isFor(spec, request));
            const { host, path, query, fields, method } = request;
            const found = mappedTo(result, `${host}${path}${query}`, fields, method);
            const chosen = found === undefined ? undefined : all[Number(found.slice(1))];
            expect(chosen === undefined).toBe(fitting.length === 0);
            if (chosen === undefined) continue;
            expect(isFor(chosen, request)).toBe(true);
            expect(fitting.filter(other => isBefore(other, chosen))).toEqual([]);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
