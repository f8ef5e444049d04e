import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PathType } from '../../api/kubernetes/ingress.ts';
import { http01SolverLabel } from '../../api/labels.ts';
import { anIngress, aService, compileObjects, type PathSpec } from '../compile/builders.testing.ts';
import type { Route, RoutingTable } from '../compile/table.ts';
import { canonicalPath } from './canonical-path.ts';
import { findRoute } from './find-route.ts';
import { parseHost } from './host.ts';

function find(table: RoutingTable, host: string, path: string): Route | undefined {
  const parsed = parseHost(host);
  const canonical = canonicalPath(path);
  if (parsed === undefined || canonical === undefined) throw new Error('not a request');
  return findRoute(table, parsed, canonical);
}

/** A route as `Prefix /foo`, `Default`, or `404`. */
function text(route: Route | undefined): string {
  if (route === undefined) return '404';
  return route.kind === 'Default' ? 'Default' : `${route.kind} ${route.path}`;
}

const defaultBackend = { service: { name: 'fallback', port: { number: 80 } } };

function tableOf(paths: readonly PathSpec[], withDefault = false): RoutingTable {
  const spec = withDefault ? { defaultBackend } : {};
  return compileObjects({ ingresses: [anIngress({ rules: { 'foo.com': paths }, spec })] }).table;
}

describe('the path table of the Ingress documentation', () => {
  const rows: [row: number, paths: PathSpec[], request: string, expected: string][] = [
    [1, [['/', 'Prefix']], '/anything/at/all', 'Prefix /'],
    [2, [['/foo', 'Exact']], '/foo', 'Exact /foo'],
    [3, [['/foo', 'Exact']], '/bar', '404'],
    [3, [['/foo', 'Exact']], '/foo/', '404'],
    [3, [['/foo', 'Exact']], '/FOO', '404'],
    [4, [['/foo/', 'Exact']], '/foo', '404'],
    [5, [['/foo', 'Prefix']], '/foo', 'Prefix /foo'],
    [5, [['/foo', 'Prefix']], '/foo/', 'Prefix /foo'],
    [5, [['/foo/', 'Prefix']], '/foo', 'Prefix /foo/'],
    [5, [['/foo/', 'Prefix']], '/foo/', 'Prefix /foo/'],
    [6, [['/aaa/bb', 'Prefix']], '/aaa/bbb', '404'],
    [7, [['/aaa/bbb', 'Prefix']], '/aaa/bbb', 'Prefix /aaa/bbb'],
    [7, [['/aaa/bbb/', 'Prefix']], '/aaa/bbb', 'Prefix /aaa/bbb/'],
    [8, [['/aaa/bbb', 'Prefix']], '/aaa/bbb/', 'Prefix /aaa/bbb'],
    [8, [['/aaa/bbb', 'Prefix']], '/aaa/bbb/ccc', 'Prefix /aaa/bbb'],
    [9, [['/aaa/bbb', 'Prefix']], '/aaa/bbbxyz', '404'],
    ...(['/aaa/ccc', '/aaa/bbb', '/ccc'] as const).map(
      (request, index): [number, PathSpec[], string, string] => [
        10,
        [
          ['/', 'Prefix'],
          ['/aaa', 'Prefix'],
          ['/aaa/bbb', 'Prefix'],
        ],
        request,
        `Prefix ${['/aaa', '/aaa/bbb', '/'][index]}`,
      ],
    ),
    [
      12,
      [
        ['/foo', 'Prefix'],
        ['/foo', 'Exact'],
      ],
      '/foo',
      'Exact /foo',
    ],
  ];
  it.each(rows)('row %i: %j, request %s: %s', (_row, paths, request, expected) => {
    expect(text(find(tableOf(paths), 'foo.com', request))).toBe(expected);
  });

  it('row 11: Prefix /aaa, request /ccc: the default backend', () => {
    expect(text(find(tableOf([['/aaa', 'Prefix']], true), 'foo.com', '/ccc'))).toBe('Default');
  });
});

describe('hosts', () => {
  const { table } = compileObjects({
    ingresses: [
      anIngress({
        rules: {
          '*.foo.com': [['/wild', 'Prefix']],
          'bar.foo.com': [['/precise', 'Prefix']],
          '': [
            ['/any', 'Prefix'],
            ['/wild', 'Prefix'],
          ],
        },
      }),
    ],
  });
  const hostOf = (route: Route | undefined): string | undefined => route?.host;

  it.each([
    ['baz.foo.com', '*.foo.com'],
    ['foo.com', ''],
    ['a.b.foo.com', ''],
  ])('statement 1: *.foo.com covers one label: %s goes to %j', (host, expected) => {
    expect(hostOf(find(table, host, '/wild'))).toBe(expected);
  });

  it('statement 1: where nothing else matches, it is 404', () => {
    const alone = compileObjects({
      ingresses: [anIngress({ rules: { '*.foo.com': [['/', 'Prefix']] } })],
    }).table;
    expect(find(alone, 'foo.com', '/')).toBeUndefined();
    expect(find(alone, 'a.b.foo.com', '/')).toBeUndefined();
    expect(find(alone, 'b.foo.com', '/')).toBeDefined();
  });

  it.each(['BAR.foo.com', 'bar.foo.com:8443', 'bar.foo.com.'])('statement 2: %s is bar.foo.com', host => {
    expect(hostOf(find(table, host, '/precise'))).toBe('bar.foo.com');
  });

  it('statement 3: a path that misses in a matched host does not fall through', () => {
    expect(find(table, 'bar.foo.com', '/wild')).toBeUndefined();
    expect(find(table, 'baz.foo.com', '/any')).toBeUndefined();
  });

  it.each(['10.0.0.1', '[::1]', ''])('statement 4: %j reaches rules without a host only', host => {
    expect(hostOf(find(table, host, '/any'))).toBe('');
  });

  it('statement 4: an address is no name under a wildcard', () => {
    const odd = compileObjects({ ingresses: [anIngress({ rules: { '*.0.0.1': [['/', 'Prefix']] } })] }).table;
    expect(find(odd, '10.0.0.1', '/')).toBeUndefined();
  });
});

describe('order of paths', () => {
  it('statement 5: Prefix /foo/ and Exact /foo, request /foo: Exact', () => {
    expect(
      text(
        find(
          tableOf([
            ['/foo/', 'Prefix'],
            ['/foo', 'Exact'],
          ]),
          'foo.com',
          '/foo',
        ),
      ),
    ).toBe('Exact /foo');
  });

  it('a regular expression goes by its elements too', () => {
    const property = { 'ingress.beta.kubernetes.io/url-match-mode': 'REGEX' };
    const backend = { service: { name: 'web', port: { number: 80 } } };
    const paths = [
      { path: '/', pathType: 'Prefix' as const, backend },
      { path: '/api/v[0-9]+', pathType: 'ImplementationSpecific' as const, backend, property },
      { path: '/api/v1/users', pathType: 'Prefix' as const, backend },
    ];
    const spec = { rules: [{ host: 'foo.com', http: { paths } }] };
    const { table } = compileObjects({ ingresses: [anIngress({ spec })] });
    expect(text(find(table, 'foo.com', '/api/v2'))).toBe('Regex /api/v[0-9]+');
    expect(text(find(table, 'foo.com', '/api/v1/users/7'))).toBe('Prefix /api/v1/users');
    expect(text(find(table, 'foo.com', '/api'))).toBe('Prefix /');
  });
});

describe('a naive model of the rules', () => {
  const pathOf = (...elements: string[]): fc.Arbitrary<string> =>
    fc
      .tuple(fc.array(fc.constantFrom(...elements), { maxLength: 4 }), fc.boolean())
      .map(([chosen, slash]) => `/${chosen.join('/')}${slash && chosen.length > 0 ? '/' : ''}`);
  // Rules have no empty elements: API servers refuse `//`. Requests may.
  const rulePath = pathOf('a', 'b', 'A', 'ab');
  const requestPath = pathOf('a', 'b', 'A', 'ab', '');
  const host = fc.constantFrom(
    '',
    'foo.com',
    'a.foo.com',
    '*.foo.com',
    'b.a.foo.com',
    '*.a.foo.com',
    '*.com',
  );
  const token = '/.well-known/acme-challenge/token';
  const site = fc.record({ host, path: rulePath, type: fc.constantFrom<PathType>('Exact', 'Prefix') });
  const challenge = fc.record({ host, path: fc.constant(token), type: fc.constant<PathType>('Exact') });
  const rule = fc.oneof({ weight: 3, arbitrary: site }, { weight: 1, arbitrary: challenge });
  const solver = aService('solver');
  solver.metadata.labels = { [http01SolverLabel]: 'true' };
  const anyRequest = fc.oneof(
    { weight: 3, arbitrary: requestPath },
    { weight: 1, arbitrary: fc.constant(token) },
  );
  const requestHost = fc.constantFrom(
    'foo.com',
    'a.foo.com',
    'b.foo.com',
    'b.a.foo.com',
    'com',
    '10.0.0.1',
    'x.y',
  );

  interface Rule {
    readonly host: string;
    readonly path: string;
    readonly type: PathType;
  }

  const elementsOf = (path: string): string[] =>
    path === '/' ? [] : path.replace(/\/$/, '').slice(1).split('/');

  function pathMatches({ path, type }: Rule, request: string): boolean {
    if (type === 'Exact') return path === request;
    const wanted = elementsOf(path);
    const have = request.slice(1).split('/');
    return wanted.every((one, index) => have[index] === one);
  }

  function naive(all: readonly Rule[], name: string, request: string): string {
    const address = /^[0-9.]+$/.test(name);
    // A name that has challenges alone has them beside whatever else would serve it.
    const own = all.filter(one => one.host === name);
    const visiting = !address && own.every(one => one.path === token);
    const met = visiting && request === token ? own[0] : undefined;
    if (met !== undefined) return `i${all.indexOf(met)} ${name} Exact ${elementsOf(token).join('/')}`;
    const rules = visiting ? all.filter(one => one.host !== name) : all;
    const hosts = [name, name.includes('.') ? `*${name.slice(name.indexOf('.'))}` : name].filter(
      () => !address,
    );
    const chosen = [...hosts, ''].find(one => rules.some(rule => rule.host === one));
    const candidates = rules.filter(one => one.host === chosen && pathMatches(one, request));
    const [best] = candidates.toSorted(
      (a, b) =>
        Number(b.type === 'Exact') - Number(a.type === 'Exact') ||
        elementsOf(b.path).length - elementsOf(a.path).length,
    );
    return best === undefined
      ? '404'
      : `i${all.indexOf(best)} ${best.host} ${best.type} ${elementsOf(best.path).join('/')}`;
  }

  it('chooses what the table chooses, the oldest of equals, for random rules and requests', () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 8 }), requestHost, anyRequest, (rules, name, request) => {
        const ingresses = rules.map((one, index) =>
          anIngress({
            name: `i${index}`,
            createdAt: index,
            rules: { [one.host]: [[one.path, one.type, one.path === token ? 'solver' : 'web']] },
          }),
        );
        const route = find(compileObjects({ ingresses, services: [solver] }).table, name, request);
        const found =
          route === undefined
            ? '404'
            : `${route.source.name} ${route.host} ${route.kind} ${elementsOf(route.path).join('/')}`;
        expect(found).toBe(naive(rules, name, request));
      }),
      { numRuns: 3_000 },
    );
  });
});
