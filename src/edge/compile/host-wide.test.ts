import { beforeAll, describe, expect, it } from 'vitest';
import { makeAuthority } from '../certificates.testing.ts';
import { canonicalPath } from '../match/canonical-path.ts';
import { findRoute } from '../match/find-route.ts';
import { parseHost } from '../match/host.ts';
import { tlsProfileFor } from '../tls/tls-profile.ts';
import { fromWire, toWire } from '../workers/wire.ts';
import {
  anIngress,
  aSecret,
  aService,
  aSlice,
  compileObjects,
  type IngressOptions,
  type Objects,
  testNowMs,
} from './builders.testing.ts';
import type { Compilation } from './compile.ts';
import type { Route } from './table.ts';

const web: Objects = {
  services: [aService(), aService('new')],
  endpointSlices: [aSlice(), aSlice('new', [{ addresses: ['10.1.0.2'] }])],
};

/** Ingresses in order of age, with annotations by their short names. */
function compiled(...options: (IngressOptions & { nginx?: Record<string, string> })[]): Compilation {
  const ingresses = options.map(({ nginx = {}, ...rest }, index) => {
    const entries = Object.entries(nginx).map(([name, value]) => [
      `nginx.ingress.kubernetes.io/${name}`,
      value,
    ]);
    return anIngress({ createdAt: index, ...rest, annotations: Object.fromEntries(entries) });
  });
  return compileObjects({ ...web, ...more, ingresses });
}

let more: Objects = {};

function routeFor({ table }: Compilation, host: string, path: string): Route | undefined {
  const parsed = parseHost(host);
  const canonical = canonicalPath(path);
  return parsed && canonical ? findRoute(table, parsed, canonical) : undefined;
}

function pathFor(compilation: Compilation, host: string, path: string): string | undefined {
  const route = routeFor(compilation, host, path);
  return route && `${route.kind} ${route.path}`;
}

function reasons({ findings }: Compilation): string[] {
  return findings.map(({ object, reason }) => `${object.metadata.name ?? ''} ${reason}`);
}

describe('use-regex and rewrite-target', () => {
  const patterned = {
    name: 'patterned',
    rules: { 'foo.com': [['/api/v[0-9]+', 'ImplementationSpecific']] },
    nginx: { 'use-regex': 'true' },
  } as const;

  it.each([{ 'use-regex': 'true' }, { 'rewrite-target': '/$1' }])(
    'with %j every path of the host is a pattern: from the beginning, open at the end, in any case',
    nginx => {
      const compilation = compiled(
        { ...patterned, nginx },
        {
          name: 'other',
          rules: { 'foo.com': [['/Shop', 'Exact']], 'bar.com': [['/Shop', 'Exact']] },
        },
      );
      expect(pathFor(compilation, 'foo.com', '/API/v12/users')).toBe('Regex /api/v[0-9]+');
      expect(pathFor(compilation, 'foo.com', '/shopping')).toBe('Regex /Shop');
      expect(pathFor(compilation, 'foo.com', '/x/Shop')).toBeUndefined();
      expect(pathFor(compilation, 'bar.com', '/shop')).toBeUndefined();
      expect(pathFor(compilation, 'bar.com', '/Shop')).toBe('Exact /Shop');
    },
  );

  it('the longest text is tried first', () => {
    const rules = {
      'foo.com': [
        ['/', 'Prefix'],
        ['/a/b', 'Prefix'],
        ['/a/b/[^/]+/edit$', 'ImplementationSpecific'],
      ],
    } as const;
    const compilation = compiled({ ...patterned, rules });
    expect(['/a/b/7/edit', '/a/b/7', '/a'].map(path => pathFor(compilation, 'foo.com', path))).toEqual([
      'Regex /a/b/[^/]+/edit$',
      'Regex /a/b',
      'Regex /',
    ]);
  });

  it('a path of another Ingress that is no pattern is passed over, with a finding for its owner', () => {
    const compilation = compiled(patterned, { name: 'other', rules: { 'foo.com': [['/(a', 'Prefix']] } });
    expect(reasons(compilation)).toEqual(['other InvalidPath']);
  });

  it.each([
    ['/api/(?!health)', '/api/secret', true],
    ['/api/(?!health)', '/API/', true],
    ['/api/(?!health)', '/apiary', false],
    ['/api/v1+(?=/)', '/api/v1/x', true],
    ['^/api|/v1(?=/)', '/anything', true],
  ])('a guarded path %s that is refused takes %s to nobody: %s', (refused, path, closed) => {
    const rules = {
      'foo.com': [
        ['/', 'Prefix'],
        ['/api', 'Prefix'],
      ],
    } as const;
    const compilation = compiled(
      { name: 'open', rules, nginx: { 'use-regex': 'true' } },
      {
        name: 'guarded',
        rules: { 'foo.com': [[refused, 'ImplementationSpecific']] },
        nginx: { 'whitelist-source-range': '10.0.0.0/8' },
      },
    );
    expect(reasons(compilation)).toEqual(['guarded InvalidPath']);
    expect(compilation.findings[0]?.message).toContain('answers 503');
    expect(routeFor(compilation, 'foo.com', path)?.policy.refusal !== undefined).toBe(closed);
    expect(fromWire(structuredClone(toWire(compilation.table.hosts.get('foo.com')?.patterns)))).toHaveLength(
      3,
    );
  });

  it('what an ACME authority asks for stays exact, and before every pattern', () => {
    const token = '/.well-known/acme-challenge/token';
    const compilation = compiled(
      { ...patterned, rules: { 'foo.com': [['/(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)', 'Prefix']] } },
      { name: 'solver', rules: { 'foo.com': [[token, 'Exact']] } },
    );
    expect(pathFor(compilation, 'foo.com', token)).toBe(`Exact ${token}`);
  });

  it('paths of the same text conflict, whatever their types', () => {
    const compilation = compiled(patterned, {
      name: 'other',
      rules: { 'foo.com': [['/api/v[0-9]+', 'Prefix']] },
    });
    expect(reasons(compilation)).toEqual(['other PathConflict']);
  });
});

describe('canaries', () => {
  const main = { name: 'main', rules: { 'foo.com': [['/', 'Prefix']] } } as const;
  const canary = {
    name: 'canary',
    rules: { 'foo.com': [['/', 'Prefix', 'new']] },
    nginx: { canary: 'true', 'canary-weight': '30' },
  } as const;

  it('are alternatives of the route for the same host and path', () => {
    const compilation = compiled(canary, main);
    const route = routeFor(compilation, 'foo.com', '/');
    expect(route?.source.name).toBe('main');
    expect(route?.alternatives).toMatchObject([
      { source: { name: 'canary' }, backend: 'default/new:80', when: { weight: 30, total: 100 } },
    ]);
    expect(reasons(compilation)).toEqual([]);
  });

  it.each<[string, IngressOptions]>([
    ['there is no other Ingress for the host', { rules: { 'bar.com': [['/', 'Prefix']] } }],
    ['there is none for the path', { rules: { 'foo.com': [['/x', 'Prefix']] } }],
    ['there is none with the path type', { rules: { 'foo.com': [['/', 'Exact']] } }],
    ['there is only one of another namespace', { namespace: 'other', rules: main.rules }],
  ])('where %s: not served, with a finding', (_what, other) => {
    const compilation = compiled({ name: 'main', ...other }, canary);
    expect(reasons(compilation)).toContain('canary CanaryWithoutMain');
    const routes = [...compilation.table.hosts.values()].flatMap(({ root, prefixes, exact }) => [
      ...(root === undefined ? [] : [root]),
      ...prefixes.values(),
      ...exact.values(),
    ]);
    expect(routes.flatMap(({ alternatives }) => alternatives)).toEqual([]);
    expect(compilation.table.hosts.size).toBe(1);
  });

  it('of two for one path the oldest counts', () => {
    const compilation = compiled(main, canary, { ...canary, name: 'second' });
    expect(routeFor(compilation, 'foo.com', '/')?.alternatives).toHaveLength(1);
    expect(reasons(compilation)).toEqual(['second PathConflict']);
  });

  it('one that cannot be honoured refuses its share, and the rest is served', () => {
    const broken = { ...canary, nginx: { ...canary.nginx, 'auth-type': 'basic' } };
    const route = routeFor(compiled(main, broken), 'foo.com', '/');
    expect(route?.policy.refusal).toBeUndefined();
    expect(route?.alternatives[0]?.policy.refusal).toBeDefined();
  });
});

describe('further names', () => {
  const site = { name: 'site', rules: { 'foo.com': [['/', 'Prefix']] } } as const;
  const alias = { ...site, nginx: { 'server-alias': 'foo.org, *.foo.net' } };

  it('server-alias: the host answers by those names too, with what all its Ingresses say', () => {
    const compilation = compiled(alias, { name: 'more', rules: { 'foo.com': [['/more', 'Prefix']] } });
    expect(routeFor(compilation, 'foo.org', '/more')?.source.name).toBe('more');
    expect(routeFor(compilation, 'x.foo.net', '/')?.source.name).toBe('site');
  });

  it('statement 6: a rule for the name goes before an alias, and the oldest alias before others', () => {
    const ruled = compiled(alias, { name: 'own', rules: { 'foo.org': [['/', 'Prefix']] } });
    expect(routeFor(ruled, 'foo.org', '/')?.source.name).toBe('own');
    expect(reasons(ruled)).toEqual(['site HostConflict']);
    const second = { name: 'second', rules: { 'bar.com': [['/', 'Prefix']] }, nginx: alias.nginx } as const;
    const both = compiled(alias, second);
    expect(routeFor(both, 'foo.org', '/')?.source.name).toBe('site');
    expect(reasons(both)).toEqual(['second HostConflict', 'second HostConflict']);
  });

  it.each([
    ['foo.com', 'www.foo.com'],
    ['www.foo.com', 'foo.com'],
  ])('from-to-www-redirect: with rules for %s, %s is sent there', (host, other) => {
    const rules = { [host]: [['/', 'Prefix']] } as const;
    const compilation = compiled({ name: 'site', rules, nginx: { 'from-to-www-redirect': 'true' } });
    expect(routeFor(compilation, other, '/deep')?.policy.redirect.to).toEqual({
      status: 308,
      location: `$scheme://${host}$port_suffix`,
      keepPath: true,
    });
    expect(routeFor(compilation, host, '/deep')?.policy.redirect.to).toBeUndefined();
  });

  it('statement 6: from-to-www-redirect gives way to rules for the other name', () => {
    const compilation = compiled(
      { ...site, nginx: { 'from-to-www-redirect': 'true' } },
      { name: 'www', rules: { 'www.foo.com': [['/', 'Prefix']] } },
    );
    expect(routeFor(compilation, 'www.foo.com', '/')?.source.name).toBe('www');
    expect(reasons(compilation)).toEqual(['site HostConflict']);
  });

  it("count as names with TLS, and are served with the host's certificate where it is for them", async () => {
    const authority = await makeAuthority('CA', testNowMs);
    const { chain, key } = await authority.issue(['foo.com', 'foo.org']);
    more = { secrets: [aSecret('foo', { 'tls.crt': chain, 'tls.key': key })] };
    const { table } = compiled({ ...alias, tls: [{ hosts: ['foo.com'], secretName: 'foo' }] });
    more = {};
    expect([...table.tlsHosts].sort()).toEqual(['*.foo.net', 'foo.com', 'foo.org']);
    expect(table.sni.get('foo.org')).toBe(table.sni.get('foo.com'));
    expect(table.sni.has('*.foo.net')).toBe(false);
  });
});

describe('client certificates', () => {
  beforeAll(async () => {
    const [one, two] = await Promise.all([makeAuthority('one'), makeAuthority('two')]);
    const secrets = [
      aSecret('one', { 'ca.crt': one.certificate }),
      aSecret('two', { 'ca.crt': two.certificate }),
    ];
    more = { secrets };
    return () => {
      more = {};
    };
  });

  const asks = (name: string, path: string, secret: string) =>
    ({
      name,
      rules: { 'foo.com': [[path, 'Prefix']] },
      nginx: { 'auth-tls-secret': `default/${secret}` },
    }) as const;
  const policyOf = (compilation: Compilation, path: string) => routeFor(compilation, 'foo.com', path)?.policy;

  it('are asked for by the whole host, as its oldest Ingress says', () => {
    const compilation = compiled(asks('a', '/a', 'one'), {
      name: 'b',
      rules: { 'foo.com': [['/b', 'Prefix']] },
    });
    const asked = policyOf(compilation, '/a')?.clientCertificate;
    expect(asked).toBeDefined();
    expect(policyOf(compilation, '/b')?.clientCertificate).toBe(asked);
    expect(tlsProfileFor(compilation.table, 'foo.com')?.clientCertificate).toBe(asked);
  });

  it('statement 6: an Ingress that asks for others is refused, with a finding', () => {
    const compilation = compiled(asks('a', '/a', 'one'), asks('b', '/b', 'two'));
    expect(policyOf(compilation, '/a')?.refusal).toBeUndefined();
    expect(policyOf(compilation, '/b')?.refusal).toContain('older Ingress "default/a"');
    expect(reasons(compilation)).toEqual(['b ClientCertificateConflict']);
  });

  it('are not asked for by an Ingress that says off, nor by solvers', () => {
    const off = {
      name: 'b',
      rules: { 'foo.com': [['/b', 'Prefix']] },
      nginx: { 'auth-tls-verify-client': 'off' },
    } as const;
    expect(policyOf(compiled(asks('a', '/a', 'one'), off), '/b')?.clientCertificate).toBeUndefined();
  });

  it('where they cannot be verified, no Ingress of the host is served without them, but for one that says off', () => {
    const off = {
      name: 'c',
      rules: { 'foo.com': [['/c', 'Prefix']] },
      nginx: { 'auth-tls-verify-client': 'off' },
    } as const;
    const compilation = compiled(
      asks('a', '/a', 'missing'),
      { name: 'b', rules: { 'foo.com': [['/b', 'Prefix']] } },
      off,
    );
    const refused = ['/a', '/b', '/c'].map(path => policyOf(compilation, path)?.refusal !== undefined);
    expect(refused).toEqual([true, true, false]);
    expect(reasons(compilation)).toEqual(['a SecretNotFound', 'b ClientCertificateConflict']);
  });

  it('statement 15: hosts that ask for other certificates have other profiles, and equal ones the same', () => {
    const other = { ...asks('b', '/', 'two'), rules: { 'bar.com': [['/', 'Prefix']] } } as const;
    const same = { ...asks('c', '/', 'one'), rules: { 'baz.com': [['/', 'Prefix']] } } as const;
    const { table } = compiled(asks('a', '/', 'one'), other, same);
    const [foo, bar, baz] = ['foo.com', 'bar.com', 'baz.com'].map(host => tlsProfileFor(table, host)?.id);
    expect(foo).not.toBe(bar);
    expect(foo).toBe(baz);
    expect(tlsProfileFor(table, 'plain.com')).toBeUndefined();
  });
});

describe('service-upstream', () => {
  const upstream = {
    name: 'site',
    rules: { 'foo.com': [['/', 'Prefix']] },
    nginx: { 'service-upstream': 'true' },
  } as const;

  it("the Service's address and port are the only endpoint", () => {
    const { table } = compiled(upstream);
    const route = table.hosts.get('foo.com')?.root;
    expect(table.backends.get(route?.backend ?? '')).toMatchObject({
      endpoints: [{ address: '10.0.0.1', port: 80 }],
    });
  });

  it('a headless Service is reached by its endpoints all the same', () => {
    more = { services: [aService('web', { clusterIP: 'None' })] };
    const { table } = compiled(upstream);
    more = {};
    const route = table.hosts.get('foo.com')?.root;
    expect(table.backends.get(route?.backend ?? '')).toMatchObject({
      endpoints: [{ address: '10.1.0.1', port: 8080 }],
    });
  });
});
