import { beforeAll, describe, expect, it } from 'vitest';
import type { HttpIngressPath, Ingress, IngressBackend } from '../../api/kubernetes/ingress.ts';
import { makeAuthority, type TestAuthority } from '../certificates.testing.ts';
import { findRoute } from '../match/find-route.ts';
import { parseHost } from '../match/host.ts';
import { sniEntryFor } from '../tls/sni-entry.ts';
import {
  anIngress,
  aPath,
  aSecret,
  aService,
  aSlice,
  compileObjects,
  type Objects,
  type PathSpec,
  testNowMs,
} from './builders.testing.ts';
import type { Compilation } from './compile.ts';
import type { CompileSettings } from './settings.ts';
import type { Backend, Route, RoutingTable } from './table.ts';

function routeFor(table: RoutingTable, host: string, path: string): Route | undefined {
  const parsed = parseHost(host);
  return parsed && findRoute(table, parsed, path);
}

/** `namespace/name` of the Ingress a request is routed by. */
function ownerOf(table: RoutingTable, host: string, path: string): string | undefined {
  const route = routeFor(table, host, path);
  return route && `${route.source.namespace}/${route.source.name}`;
}

/** Where a request is forwarded to. */
function reached(table: RoutingTable, host: string, path: string): Backend | undefined {
  return table.backends.get(routeFor(table, host, path)?.backend ?? '');
}

function reasons({ findings }: Compilation): string[] {
  return findings.map(({ object, reason }) => `${object.metadata.name ?? ''} ${reason}`);
}

const site = anIngress({ rules: { 'foo.com': [['/', 'Prefix']] } });
const web: Objects = { services: [aService()], endpointSlices: [aSlice()] };

/** The backend of `foo.com/`, whose Ingress is `ingress`, among `objects`. */
function backendFor(
  objects: Objects,
  settings?: Partial<CompileSettings>,
  ingress: Ingress = site,
): Backend | undefined {
  return reached(compileObjects({ ingresses: [ingress], ...objects }, settings).table, 'foo.com', '/');
}

function addresses(backend: Backend | undefined): string[] {
  return backend?.kind === 'endpoints'
    ? backend.endpoints.map(({ address, port }) => `${address}:${port}`)
    : [];
}

describe('several Ingresses', () => {
  const older = anIngress({ name: 'older', rules: { 'foo.com': [['/a', 'Prefix']] }, createdAt: -10 });

  it('statement 6: they are merged by host', () => {
    const other = anIngress({ name: 'other', rules: { 'foo.com': [['/b', 'Prefix']] } });
    const { table } = compileObjects({ ingresses: [other, older] });
    expect([ownerOf(table, 'foo.com', '/a'), ownerOf(table, 'foo.com', '/b')]).toEqual([
      'default/older',
      'default/other',
    ]);
  });

  it('statement 6: for the same host, path and type the oldest wins, and the loser has a finding', () => {
    const younger = anIngress({ name: 'a-younger', rules: { 'FOO.com': [['/a/', 'Prefix']] } });
    const compilation = compileObjects({ ingresses: [younger, older], ...web });
    expect(ownerOf(compilation.table, 'foo.com', '/a')).toBe('default/older');
    expect(reasons(compilation)).toEqual(['a-younger PathConflict']);
    expect(compilation.findings[0]?.message).toContain('the older Ingress "default/older" has it');
  });

  it('statement 6: of the same age, namespace and name decide', () => {
    const b = anIngress({ name: 'x', namespace: 'b', rules: { 'foo.com': [['/a', 'Prefix']] } });
    const a = anIngress({ name: 'y', namespace: 'a', rules: { 'foo.com': [['/a', 'Prefix']] } });
    expect(ownerOf(compileObjects({ ingresses: [b, a] }).table, 'foo.com', '/a')).toBe('a/y');
  });

  it('statement 6: another path type is no conflict', () => {
    const exact = anIngress({ name: 'exact', rules: { 'foo.com': [['/a', 'Exact']] } });
    const compilation = compileObjects({ ingresses: [older, exact], ...web });
    expect(ownerOf(compilation.table, 'foo.com', '/a')).toBe('default/exact');
    expect(reasons(compilation)).toEqual([]);
  });
});

describe('path types', () => {
  const specific = (path: string | undefined, property?: Record<string, string>): HttpIngressPath => ({
    ...aPath(['', 'ImplementationSpecific']),
    path,
    property,
  });
  const mode = (value: string): Record<string, string> => ({
    'ingress.beta.kubernetes.io/url-match-mode': value,
  });
  const compiled = (paths: HttpIngressPath[], annotations?: Record<string, string>): Compilation =>
    compileObjects({
      ...web,
      ingresses: [
        anIngress({
          spec: { rules: [{ host: 'foo.com', http: { paths } }] },
          ...(annotations && { annotations }),
        }),
      ],
    });
  const kindFor = ({ table }: Compilation, path: string): string | undefined =>
    routeFor(table, 'foo.com', path)?.kind;

  it.each([undefined, ''])('statement 7: the path %j is / where it is ImplementationSpecific', path => {
    expect(kindFor(compiled([specific(path)]), '/anything')).toBe('Prefix');
  });

  it('statement 7: an empty path of another type is refused', () => {
    const compilation = compiled([{ ...aPath(['', 'Prefix']) }]);
    expect(kindFor(compilation, '/')).toBeUndefined();
    expect(reasons(compilation)).toEqual(['site InvalidPath']);
  });

  it.each([
    [undefined, 'Prefix', 'Prefix'],
    ['STARTS_WITH', 'Prefix', 'Prefix'],
    ['EQUAL_TO', 'Exact', undefined],
    ['REGEX', 'Regex', 'Regex'],
  ])('statement 7: url-match-mode %s: /foo %s, /foo/bar %s', (value, itself, below) => {
    const compilation = compiled([specific('/foo', value === undefined ? undefined : mode(value))]);
    expect([kindFor(compilation, '/foo'), kindFor(compilation, '/foo/bar')]).toEqual([itself, below]);
  });

  it("statement 7: CCE's annotation stands for the property, with its keys in any case, and with or without a host", () => {
    const annotation = JSON.stringify([
      { host: 'foo.com', path: '/test', matchmode: 'EQUAL_TO' },
      { Path: '/dw', MatchMode: 'EQUAL_TO' },
      { host: 'other.com', path: '/free', matchmode: 'EQUAL_TO' },
    ]);
    const paths = [specific('/test'), specific('/dw'), specific('/free')];
    const compilation = compiled(paths, { 'kubernetes.io/ingress.property': annotation });
    expect(['/test', '/dw', '/free'].map(path => kindFor(compilation, path))).toEqual([
      'Exact',
      'Exact',
      'Prefix',
    ]);
  });

  it.each([
    [[specific('/a', mode('CONTAINS'))], 'use "STARTS_WITH", "EQUAL_TO" or "REGEX"'],
    [[specific('/(a', mode('REGEX'))], 'never closed'],
    [[specific('/a(?=b)', mode('REGEX'))], 'look-around'],
    [[aPath(['/a/../b/../..', 'Prefix'])], 'it must begin with "/"'],
    [[aPath(['a', 'Exact'])], 'it must begin with "/"'],
  ])('a path that cannot be compared is passed over with a finding: %#', (paths, sentence) => {
    const { findings } = compiled(paths);
    expect(findings.map(({ message }) => message)).toEqual([expect.stringContaining(sentence)]);
  });

  it('an annotation that is no JSON is passed over with a finding', () => {
    expect(reasons(compiled([specific('/a')], { 'kubernetes.io/ingress.property': '{' }))).toEqual([
      'site AnnotationInvalid',
    ]);
  });
});

describe('default backends', () => {
  const fallback: IngressBackend = { service: { name: 'web', port: { number: 80 } } };

  it('statement 8: without rules it takes everything', () => {
    const { table } = compileObjects({
      ingresses: [anIngress({ spec: { rules: undefined, defaultBackend: fallback } })],
    });
    for (const host of ['foo.com', '10.0.0.1', '']) expect(routeFor(table, host, '/x')?.kind).toBe('Default');
  });

  it('statement 8: with rules it takes what no rule matches', () => {
    const ingress = anIngress({
      rules: { 'foo.com': [['/a', 'Prefix']] },
      spec: { defaultBackend: fallback },
    });
    const { table } = compileObjects({ ingresses: [ingress] });
    expect(['/a', '/b'].map(path => routeFor(table, 'foo.com', path)?.kind)).toEqual(['Prefix', 'Default']);
    expect(routeFor(table, 'bar.com', '/')?.kind).toBe('Default');
  });

  it('statement 8: a host of its own goes to its own default backend, however old another one is', () => {
    const all = anIngress({
      name: 'all',
      spec: { rules: undefined, defaultBackend: fallback },
      createdAt: -10,
    });
    const own = anIngress({
      name: 'own',
      rules: { 'foo.com': [['/a', 'Prefix']] },
      spec: { defaultBackend: fallback },
    });
    const compilation = compileObjects({ ingresses: [all, own], ...web });
    expect(ownerOf(compilation.table, 'foo.com', '/b')).toBe('default/own');
    expect(ownerOf(compilation.table, 'bar.com', '/b')).toBe('default/all');
    expect(reasons(compilation)).toEqual([]);
  });

  it('statement 8: two for everything: the oldest wins, and the loser has a finding', () => {
    const one = anIngress({
      name: 'one',
      spec: { rules: undefined, defaultBackend: fallback },
      createdAt: -10,
    });
    const two = anIngress({ name: 'two', spec: { rules: undefined, defaultBackend: fallback } });
    expect(reasons(compileObjects({ ingresses: [two, one], ...web }))).toEqual([
      'two DefaultBackendConflict',
    ]);
  });

  it('statement 8: nothing at all is no route', () => {
    expect(routeFor(compileObjects({ ingresses: [site] }).table, 'bar.com', '/')).toBeUndefined();
  });
});

describe('backends', () => {
  const withBackend = (backend: IngressBackend): Ingress =>
    anIngress({
      spec: { rules: [{ host: 'foo.com', http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }] },
    });

  it('statement 9: a resource is never proxied, and has a finding', () => {
    const ingress = withBackend({ resource: { kind: 'StorageBucket', name: 'x' } });
    expect(backendFor({}, {}, ingress)?.kind).toBe('unavailable');
    expect(reasons(compileObjects({ ingresses: [ingress] }))).toEqual(['site BackendUnsupported']);
  });

  const named = aService('web', {
    ports: [
      { name: 'admin', port: 80, targetPort: 9 },
      { name: 'main', port: 81, targetPort: 'http' },
    ],
  });
  const ports = [
    { name: 'admin', port: 9000 },
    { name: 'main', port: 8080 },
  ];
  it.each([
    [{ number: 80 }, ['10.1.0.1:9000']],
    [{ number: 81 }, ['10.1.0.1:8080']],
    [{ name: 'main' }, ['10.1.0.1:8080']],
    [{ name: 'admin' }, ['10.1.0.1:9000']],
  ])('statement 10: port %j of the Service is %s of the slice, found by its name', (port, expected) => {
    const slices = [aSlice('web', [{ addresses: ['10.1.0.1'] }], ports)];
    const ingress = withBackend({ service: { name: 'web', port } });
    expect(addresses(backendFor({ services: [named], endpointSlices: slices }, {}, ingress))).toEqual(
      expected,
    );
  });

  it('statement 10: a port of another protocol does not count', () => {
    const slices = [
      aSlice('web', undefined, [
        { name: '', port: 53, protocol: 'UDP' },
        { name: '', port: 8080, protocol: 'TCP' },
      ]),
    ];
    expect(addresses(backendFor({ ...web, endpointSlices: slices }))).toEqual(['10.1.0.1:8080']);
  });

  it.each<[string, Objects, string[]]>([
    ['no Service', {}, ['site ServiceNotFound']],
    [
      'no such port',
      { services: [aService('web', { ports: [{ port: 81 }] })] },
      ['site ServicePortNotFound'],
    ],
    ['no endpoints', { services: [aService()] }, []],
  ])('statement 11: %s: nothing for that path, and the others stay', (_what, objects, expected) => {
    const ingress = anIngress({
      rules: {
        'foo.com': [
          ['/', 'Prefix'],
          ['/other', 'Prefix', 'other'],
        ],
      },
    });
    const compilation = compileObjects({
      ingresses: [ingress],
      services: [...(objects.services ?? []), aService('other')],
      endpointSlices: [aSlice('other')],
    });
    expect(addresses(reached(compilation.table, 'foo.com', '/'))).toEqual([]);
    expect(addresses(reached(compilation.table, 'foo.com', '/other'))).toEqual(['10.1.0.1:8080']);
    expect(reasons(compilation)).toEqual(expected);
  });

  it('statement 12: headless Services go through their slices, with and without ports', () => {
    const headless = { ...web, services: [aService('web', { clusterIP: 'None' })] };
    expect(addresses(backendFor(headless))).toEqual(['10.1.0.1:8080']);
    const portless = {
      services: [aService('web', { clusterIP: 'None', ports: undefined })],
      endpointSlices: [aSlice('web', undefined, [])],
    };
    expect(addresses(backendFor(portless))).toEqual(['10.1.0.1:80']);
  });

  const external = (externalName: string, more = {}): Objects => ({
    services: [aService('web', { type: 'ExternalName', externalName, ports: undefined, ...more })],
  });
  it.each([
    '127.0.0.1',
    'localhost',
    'app.localhost.',
    '::1',
    '169.254.169.254',
    'fe80::1',
    '0.0.0.0',
    '::ffff:127.0.0.1',
    'a b',
  ])('statement 12: ExternalName %s is refused', name => {
    expect(backendFor(external(name))?.kind).toBe('unavailable');
    expect(reasons(compileObjects({ ingresses: [site], ...external(name) }))).toEqual([
      'site EndpointRefused',
    ]);
  });

  it('statement 12: ExternalName leads to its name, at the port of the rule or the target port of the Service', () => {
    expect(backendFor(external('Example.com.'))).toMatchObject({
      kind: 'external',
      host: 'example.com',
      port: 80,
    });
    const ported = external('example.com', { ports: [{ port: 80, targetPort: 8443 }] });
    expect(backendFor(ported)).toMatchObject({ kind: 'external', port: 8443 });
  });

  it('statement 12: ExternalName can be switched off', () => {
    expect(backendFor(external('example.com'), { externalNames: false })?.kind).toBe('unavailable');
  });

  it('statement 12: in standalone mode loopback is allowed, link-local is not', () => {
    expect(backendFor(external('127.0.0.1'), { standalone: true })?.kind).toBe('external');
    expect(backendFor(external('169.254.169.254'), { standalone: true })?.kind).toBe('unavailable');
  });

  it('statement 12: endpoints at loopback are left out of a cluster', () => {
    const objects = {
      ...web,
      endpointSlices: [aSlice('web', [{ addresses: ['127.0.0.1'] }, { addresses: ['10.1.0.2'] }])],
    };
    expect(addresses(backendFor(objects))).toEqual(['10.1.0.2:8080']);
    expect(addresses(backendFor(objects, { standalone: true }))).toHaveLength(2);
  });

  it.each([
    [
      'ready absent is ready',
      [{ addresses: ['10.1.0.1'] }, { addresses: ['10.1.0.2'], conditions: {} }],
      ['10.1.0.1:8080', '10.1.0.2:8080'],
    ],
    [
      'false is skipped',
      [{ addresses: ['10.1.0.1'], conditions: { ready: false } }, { addresses: ['10.1.0.2'] }],
      ['10.1.0.2:8080'],
    ],
    [
      'none ready: those that serve and terminate',
      [
        { addresses: ['10.1.0.1'], conditions: { ready: false, serving: true, terminating: true } },
        { addresses: ['10.1.0.2'], conditions: { ready: false, serving: false, terminating: true } },
        { addresses: ['10.1.0.3'], conditions: { ready: false, serving: true } },
      ],
      ['10.1.0.1:8080'],
    ],
  ])('statement 13: %s', (_what, endpoints, expected) => {
    expect(addresses(backendFor({ ...web, endpointSlices: [aSlice('web', endpoints)] }))).toEqual(expected);
  });

  it('statement 13: slices of v1beta1 are read the same', () => {
    const slice = {
      ...aSlice('web', [{ addresses: ['10.1.0.1'], topology: { 'kubernetes.io/hostname': 'n' } }]),
      apiVersion: 'discovery.k8s.io/v1beta1',
    };
    expect(addresses(backendFor({ ...web, endpointSlices: [slice] }))).toEqual(['10.1.0.1:8080']);
  });

  it('a Service without slices is found in its Endpoints', () => {
    const endpoints = [
      {
        metadata: { namespace: 'default', name: 'web' },
        subsets: [
          {
            addresses: [{ ip: '10.2.0.1' }],
            notReadyAddresses: [{ ip: '10.2.0.2' }],
            ports: [{ port: 7070 }],
          },
        ],
      },
    ];
    expect(addresses(backendFor({ services: [aService()], endpoints }))).toEqual(['10.2.0.1:7070']);
  });
});

describe('classes', () => {
  const ingressClass = (
    name: string,
    controller: string,
    isDefault = false,
  ): NonNullable<Objects['ingressClasses']>[0] => ({
    metadata: {
      name,
      annotations: isDefault ? { 'ingressclass.kubernetes.io/is-default-class': 'true' } : {},
    },
    spec: { controller },
  });
  const served = (
    field: string | undefined,
    annotation: string | undefined,
    objects: Objects = {},
    settings: Partial<CompileSettings> = {},
  ): boolean => {
    const ingress = anIngress({
      rules: { 'foo.com': [['/', 'Prefix']] },
      spec: { ingressClassName: field },
      ...(annotation === undefined ? {} : { annotations: { 'kubernetes.io/ingress.class': annotation } }),
    });
    return compileObjects({ ...objects, ingresses: [ingress] }, settings).table.hosts.size > 0;
  };
  const ours = 'postern.dev/ingress';

  it.each<[string, string | undefined, string | undefined, Objects, Partial<CompileSettings>, boolean]>([
    ['an unknown class', 'other', undefined, {}, {}, false],
    ['the default name without an object', 'postern', undefined, {}, {}, true],
    [
      'the default name of another controller',
      'postern',
      undefined,
      { ingressClasses: [ingressClass('postern', 'x/y')] },
      {},
      false,
    ],
    [
      'a class of our controller',
      'web',
      undefined,
      { ingressClasses: [ingressClass('web', ours)] },
      {},
      true,
    ],
    [
      'a class of another controller',
      'nginx',
      undefined,
      { ingressClasses: [ingressClass('nginx', 'x/y')] },
      {},
      false,
    ],
    ['a listed class without an object', 'nginx', undefined, {}, { ingressClasses: ['nginx'] }, true],
    ['a listed class, by annotation', undefined, 'nginx', {}, { ingressClasses: ['nginx'] }, true],
    ['the annotation before the field', 'other', 'postern', {}, {}, true],
    ['the annotation before the field, the other way', 'postern', 'other', {}, {}, false],
    ['no class', undefined, undefined, {}, {}, false],
    ['no class, by the flag', undefined, undefined, {}, { watchIngressWithoutClass: true }, true],
    [
      'no class in a cluster with a default',
      undefined,
      undefined,
      { ingressClasses: [ingressClass('web', ours, true)] },
      {},
      false,
    ],
    [
      'no class in standalone mode with a default',
      undefined,
      undefined,
      { ingressClasses: [ingressClass('web', ours, true)] },
      { standalone: true },
      true,
    ],
    [
      "no class in standalone mode with another's default",
      undefined,
      undefined,
      { ingressClasses: [ingressClass('web', 'x/y', true)] },
      { standalone: true },
      false,
    ],
  ])('statement 14: %s', (_what, field, annotation, objects, settings, expected) => {
    expect(served(field, annotation, objects, settings)).toBe(expected);
  });

  it('statement 14: annotation and field that differ have a finding', () => {
    const ingress = anIngress({
      rules: {},
      spec: { ingressClassName: 'other' },
      annotations: { 'kubernetes.io/ingress.class': 'postern' },
    });
    expect(reasons(compileObjects({ ingresses: [ingress] }))).toEqual(['site IngressClassConflict']);
  });
});

describe('TLS', () => {
  let authority: TestAuthority;
  let secrets: Record<
    'foo' | 'wild' | 'other' | 'expired' | 'broken' | 'mismatched',
    ReturnType<typeof aSecret>
  >;
  beforeAll(async () => {
    authority = await makeAuthority('CA', testNowMs);
    const [foo, wild, other, expired] = await Promise.all([
      authority.issue(['foo.com', 'www.foo.com']),
      authority.issue(['*.foo.com']),
      authority.issue(['foo.com']),
      authority.issue(['foo.com'], { notAfterMs: testNowMs - 1_000 }),
    ]);
    const tls = ({ chain, key }: { chain: string; key: string }): Record<string, string> => ({
      'tls.crt': chain,
      'tls.key': key,
    });
    secrets = {
      foo: aSecret('foo', tls(foo)),
      wild: aSecret('wild', tls(wild)),
      other: aSecret('other', tls(other)),
      expired: aSecret('expired', tls(expired)),
      broken: aSecret('broken', { 'tls.crt': 'nonsense', 'tls.key': foo.key }),
      mismatched: aSecret('mismatched', { 'tls.crt': foo.chain, 'tls.key': other.key }),
    };
  });

  const withTls = (
    name: string,
    hosts: string[] | undefined,
    secretName: string | undefined,
    createdAt = 0,
  ): Ingress =>
    anIngress({
      name,
      rules: { 'foo.com': [[`/${name}`, 'Prefix']] },
      tls: [{ hosts, secretName }],
      createdAt,
    });
  const compiled = (...ingresses: Ingress[]): Compilation =>
    compileObjects({ ...web, ingresses, secrets: Object.values(secrets) });
  const served = ({ table }: Compilation, name: string): string => {
    const entry = sniEntryFor(table, name);
    return entry?.kind === 'certificate' ? entry.certificate.secret : 'default';
  };

  it('statement 16: exact name, then one-label wildcard, then the default certificate', () => {
    const wildcard = anIngress({
      name: 'w',
      rules: { '*.foo.com': [['/', 'Prefix']] },
      tls: [{ hosts: ['*.foo.com'], secretName: 'wild' }],
    });
    const exact = withTls('e', ['foo.com', 'www.foo.com'], 'foo');
    const compilation = compiled(wildcard, exact);
    expect(
      ['foo.com', 'WWW.foo.com', 'b.foo.com', 'a.b.foo.com', 'bar.com'].map(name =>
        served(compilation, name),
      ),
    ).toEqual(['default/foo', 'default/foo', 'default/wild', 'default', 'default']);
    expect(reasons(compilation)).toEqual([]);
  });

  it('statement 16: a TLS entry without hosts is used where its SANs match, after those that name the host', () => {
    const hosts = { 'foo.com': [['/old', 'Prefix']], 'www.foo.com': [['/', 'Prefix']] } as const;
    const old = anIngress({ name: 'old', rules: hosts, tls: [{ secretName: 'foo' }], createdAt: -10 });
    const compilation = compiled(old, withTls('new', ['foo.com'], 'other'));
    expect([served(compilation, 'foo.com'), served(compilation, 'www.foo.com')]).toEqual([
      'default/other',
      'default/foo',
    ]);
    expect(reasons(compilation)).toEqual(['old TLSConflict']);
  });

  it.each([
    ['has a rule for', { 'foo.com': [['/theirs', 'Prefix']] }, undefined, 'default'],
    ['has a wildcard rule for', { '*.foo.com': [['/theirs', 'Prefix']] }, undefined, 'default/foo'],
    ['names for TLS', {}, ['foo.com'], 'default'],
  ] as const)(
    'statement 16: a certificate does not take a host that another Ingress %s',
    (_what, rules, hosts, atApex) => {
      const theirs = anIngress({
        name: 'theirs',
        rules,
        ...(hosts === undefined ? {} : { tls: [{ hosts: [...hosts] }] }),
      });
      const claiming = (name: string, claimed: Record<string, PathSpec[]>): Ingress =>
        anIngress({ name, rules: claimed, tls: [{ secretName: 'foo' }], createdAt: -10 });
      const elsewhere = compiled(theirs, claiming('elsewhere', { 'bar.com': [['/', 'Prefix']] }));
      expect([served(elsewhere, 'foo.com'), served(elsewhere, 'www.foo.com')]).toEqual([
        'default',
        'default',
      ]);
      expect(reasons(elsewhere)).toEqual(['elsewhere CertificateHostMismatch']);
      const everywhere = compiled(theirs, claiming('everywhere', { '': [['/', 'Prefix']] }));
      expect(served(everywhere, 'foo.com')).toBe(atApex);
      expect(reasons(everywhere)).toEqual(['everywhere TLSConflict']);
    },
  );

  it('statement 16: nor by a wildcard; where nobody names the host, the rule without a host is served with it', () => {
    const everywhere = anIngress({
      name: 'everywhere',
      rules: { '': [['/', 'Prefix']] },
      tls: [{ secretName: 'wild' }],
    });
    const theirs = anIngress({ name: 'theirs', rules: { 'b.foo.com': [['/', 'Prefix']] } });
    const compilation = compiled(everywhere, theirs);
    expect([served(compilation, 'b.foo.com'), served(compilation, 'c.foo.com')]).toEqual([
      'default',
      'default/wild',
    ]);
    expect(reasons(compilation)).toEqual([]);
  });

  it('statement 16: an entry without hosts says which hosts of the rules it is not for, or that it is for none', () => {
    const rules = { 'foo.com': [['/', 'Prefix']], 'bar.com': [['/', 'Prefix']] } as const;
    const some = compiled(anIngress({ name: 'some', rules, tls: [{ secretName: 'foo' }] }));
    expect(some.findings.map(({ message }) => message)).toEqual([
      'spec.tls has no certificate for bar.com: the default certificate is served there',
    ]);
    const none = compiled(
      anIngress({
        name: 'none',
        rules: { 'foo.com': [['/', 'Prefix']] },
        tls: [{ hosts: ['foo.com'], secretName: 'foo' }, { secretName: 'wild' }],
      }),
    );
    expect(none.findings.map(({ message }) => message)).toEqual([
      expect.stringContaining('Secret "default/wild" without hosts'),
    ]);
  });

  it('statement 16: without secretName: the default certificate', () => {
    const compilation = compiled(withTls('a', ['foo.com'], undefined));
    expect(served(compilation, 'foo.com')).toBe('default');
    expect(compilation.table.tlsHosts).toEqual(new Set(['foo.com']));
  });

  it.each([
    ['missing', 'SecretNotFound'],
    ['broken', 'SecretInvalid'],
    ['mismatched', 'SecretInvalid'],
    ['wild', 'CertificateHostMismatch'],
  ])(
    'statement 16: Secret %s: the default certificate and a finding; the route stays',
    (secretName, reason) => {
      const compilation = compiled(withTls('a', ['foo.com'], secretName));
      expect(served(compilation, 'foo.com')).toBe('default');
      expect(reasons(compilation)).toEqual([`a ${reason}`]);
      expect(addresses(reached(compilation.table, 'foo.com', '/a'))).toEqual(['10.1.0.1:8080']);
    },
  );

  it('statement 16: a bad Secret for an exact name does not let a wildcard in', () => {
    const wildcard = withTls('w', ['*.foo.com'], 'wild');
    expect(served(compiled(wildcard, withTls('a', ['b.foo.com'], 'broken')), 'b.foo.com')).toBe('default');
  });

  it('statement 6: two Secrets for one host: the oldest Ingress decides, and the loser has a finding', () => {
    const compilation = compiled(
      withTls('young', ['foo.com'], 'other'),
      withTls('old', ['foo.com'], 'foo', -10),
    );
    expect(served(compilation, 'foo.com')).toBe('default/foo');
    expect(reasons(compilation)).toEqual(['young TLSConflict']);
  });

  it('an expired certificate is served, with a finding', () => {
    const compilation = compiled(withTls('a', ['foo.com'], 'expired'));
    expect(served(compilation, 'foo.com')).toBe('default/expired');
    expect(reasons(compilation)).toEqual(['a CertificateExpired']);
  });

  it('says when the next certificate expires', () => {
    expect(compiled(withTls('a', ['foo.com'], 'foo')).nextExpiryMs).toBe(testNowMs + 90 * 86_400_000);
  });

  it('holds no key where it is shown', () => {
    const { table } = compiled(withTls('a', ['foo.com'], 'foo'));
    const entry = sniEntryFor(table, 'foo.com');
    expect(JSON.stringify(entry)).not.toContain('PRIVATE KEY');
  });
});

describe('annotations for upstreams', () => {
  let authority: TestAuthority;
  let pair: { chain: string; key: string };
  beforeAll(async () => {
    authority = await makeAuthority('CA', testNowMs);
    pair = await authority.issue(['client']);
  });
  const nginx = 'nginx.ingress.kubernetes.io/';
  const compiled = (
    annotations: Record<string, string>,
    secret?: Record<string, string>,
  ): { backend: Backend | undefined; found: string[] } => {
    const full = Object.fromEntries(Object.entries(annotations).map(([key, value]) => [nginx + key, value]));
    const ingress = anIngress({ rules: { 'foo.com': [['/', 'Prefix']] }, annotations: full });
    const secrets = secret === undefined ? [] : [aSecret('up', secret)];
    const compilation = compileObjects({ ...web, ingresses: [ingress], secrets });
    return { backend: reached(compilation.table, 'foo.com', '/'), found: reasons(compilation) };
  };

  it.each([
    ['HTTP', undefined],
    ['http', undefined],
    ['HTTPS', true],
    ['https', true],
  ])('backend-protocol %s: TLS %s', (value, verify) => {
    const { backend, found } = compiled({ 'backend-protocol': value });
    expect(backend?.kind === 'endpoints' ? backend.tls?.verify : 'none').toBe(verify);
    expect(found).toEqual([]);
  });

  it('verifies the name of the Service against the authorities of the system, and sends it, where nothing is said', () => {
    const { backend } = compiled({ 'backend-protocol': 'HTTPS' });
    expect(backend).toMatchObject({
      tls: { verify: true, verifiedName: 'web.default.svc', serverName: 'web.default.svc', ca: undefined },
    });
  });

  it('takes name, authority and client certificate from proxy-ssl-*', () => {
    const annotations = {
      'backend-protocol': 'HTTPS',
      'proxy-ssl-secret': 'default/up',
      'proxy-ssl-name': 'app.internal',
      'proxy-ssl-server-name': 'off',
      'proxy-ssl-verify': 'on',
    };
    const { backend, found } = compiled(annotations, {
      'ca.crt': authority.certificate,
      'tls.crt': pair.chain,
      'tls.key': pair.key,
    });
    expect(backend).toMatchObject({
      tls: {
        verify: true,
        verifiedName: 'app.internal',
        serverName: undefined,
        ca: authority.certificate,
        client: { certificate: pair.chain },
      },
    });
    expect(found).toEqual([]);
  });

  it('off is off, with a finding', () => {
    const { backend, found } = compiled({ 'backend-protocol': 'HTTPS', 'proxy-ssl-verify': 'off' });
    expect(backend).toMatchObject({ kind: 'endpoints', tls: { verify: false } });
    expect(found).toEqual(['site UpstreamTLSUnverified']);
  });

  const https = { 'backend-protocol': 'HTTPS' };
  it.each<[string, Record<string, string>, Record<string, string> | undefined, string]>([
    ['an unknown protocol', { 'backend-protocol': 'AJP' }, undefined, 'AnnotationInvalid'],
    ['FastCGI', { 'backend-protocol': 'FCGI' }, undefined, 'AnnotationInvalid'],
    ['another word for verify', { ...https, 'proxy-ssl-verify': 'true' }, undefined, 'AnnotationInvalid'],
    [
      'another word for server-name',
      { ...https, 'proxy-ssl-server-name': 'yes' },
      undefined,
      'AnnotationInvalid',
    ],
    ['a name that is none', { ...https, 'proxy-ssl-name': 'a b' }, undefined, 'UpstreamTLSInvalid'],
    ['a missing Secret', { ...https, 'proxy-ssl-secret': 'default/up' }, undefined, 'SecretNotFound'],
    [
      "another namespace's Secret",
      { ...https, 'proxy-ssl-secret': 'kube-system/up' },
      {},
      'UpstreamTLSInvalid',
    ],
    [
      'a Secret name that is none',
      { ...https, 'proxy-ssl-secret': 'a/b/c' },
      undefined,
      'UpstreamTLSInvalid',
    ],
    ['a Secret without ca.crt', { ...https, 'proxy-ssl-secret': 'up' }, { x: 'y' }, 'UpstreamTLSInvalid'],
    [
      'a ca.crt without certificates',
      { ...https, 'proxy-ssl-secret': 'up' },
      { 'ca.crt': 'nonsense' },
      'UpstreamTLSInvalid',
    ],
    ['passwords that no Secret has', { 'auth-type': 'basic' }, undefined, 'AnnotationInvalid'],
    ['a range that is none', { 'whitelist-source-range': '10.0.0.0/33' }, undefined, 'AnnotationInvalid'],
    ['a firewall that is not there', { 'enable-modsecurity': 'true' }, undefined, 'AnnotationUnsupported'],
  ])('fails closed on %s', (_what, annotations, secret, reason) => {
    const { backend, found } = compiled(annotations, secret);
    expect(backend?.kind).toBe('unavailable');
    expect(found).toEqual([`site ${reason}`]);
  });

  it('fails closed on a client certificate without its key', () => {
    const annotations = { ...https, 'proxy-ssl-secret': 'up' };
    expect(
      compiled(annotations, { 'ca.crt': authority.certificate, 'tls.crt': pair.chain }).backend?.kind,
    ).toBe('unavailable');
  });

  it('AUTO_HTTP speaks with the upstream as the client does with the edge', () => {
    const annotations = { [`${nginx}backend-protocol`]: 'AUTO_HTTP' };
    const rules = { 'foo.com': [['/', 'Prefix']] } as const;
    const { table } = compileObjects({
      ingresses: [anIngress({ rules, annotations })],
      services: [aService()],
      endpointSlices: [aSlice()],
    });
    const route = table.hosts.get('foo.com')?.root;
    const [plain] = route?.alternatives ?? [];
    expect(plain?.when.header).toEqual({ name: ':scheme', value: 'http', pattern: undefined });
    expect(table.backends.get(plain?.backend ?? '')).toMatchObject({ kind: 'endpoints', tls: undefined });
    expect(table.backends.get(route?.backend ?? '')).toMatchObject({ tls: { verify: true } });
  });

  it('default-backend takes what finds no endpoint, and gives pages for errors', () => {
    const annotations = { [`${nginx}default-backend`]: 'pages', [`${nginx}custom-http-errors`]: '404' };
    const { table } = compileObjects({
      ingresses: [anIngress({ rules: { 'foo.com': [['/', 'Prefix']] }, annotations })],
      services: [aService(), aService('pages')],
    });
    const policy = table.hosts.get('foo.com')?.root?.policy;
    expect(policy?.errorPages).toEqual({ statuses: [404], backend: policy?.fallbackBackend });
    expect(table.backends.get(policy?.fallbackBackend ?? '')).toMatchObject({ kind: 'endpoints' });
  });

  it('default-backend takes nothing of an Ingress whose upstream TLS cannot be spoken', () => {
    const annotations = {
      [`${nginx}default-backend`]: 'pages',
      [`${nginx}backend-protocol`]: 'HTTPS',
      [`${nginx}proxy-ssl-secret`]: 'missing',
    };
    const { table } = compileObjects({
      ingresses: [anIngress({ rules: { 'foo.com': [['/', 'Prefix']] }, annotations })],
      services: [aService(), aService('pages')],
      endpointSlices: [aSlice(), aSlice('pages')],
    });
    expect(table.hosts.get('foo.com')?.root?.policy.fallbackBackend).toBeUndefined();
  });

  it("the source range of cert-manager's solvers is open to all", () => {
    expect(compiled({ 'whitelist-source-range': '0.0.0.0/0,::/0' }).found).toEqual([]);
  });

  it("a challenge solved in place reaches the solver in plain HTTP, whatever the site's own upstream wants", () => {
    const path = '/.well-known/acme-challenge/token';
    const solver = aService('solver');
    const labelled = {
      ...solver,
      metadata: { ...solver.metadata, labels: { 'acme.cert-manager.io/http01-solver': 'true' } },
    };
    const ingress = anIngress({
      rules: {
        'foo.com': [
          ['/', 'Prefix'],
          [path, 'Exact', 'solver'],
        ],
      },
      annotations: { [`${nginx}backend-protocol`]: 'HTTPS', [`${nginx}auth-type`]: 'basic' },
    });
    const { table } = compileObjects({
      ingresses: [ingress],
      services: [aService(), labelled],
      endpointSlices: [aSlice(), aSlice('solver', [{ addresses: ['10.9.0.1'] }], [{ name: '', port: 8089 }])],
    });
    expect(reached(table, 'foo.com', path)).toMatchObject({ kind: 'endpoints', tls: undefined });
    expect(reached(table, 'foo.com', '/')?.kind).toBe('unavailable');
  });
});

describe('what a compilation depends on', () => {
  it('are the Secrets and Services that were asked for, there or not', () => {
    const ingress = anIngress({
      rules: { 'foo.com': [['/', 'Prefix']] },
      tls: [{ hosts: ['foo.com'], secretName: 's' }],
    });
    const { references } = compileObjects({ ingresses: [ingress] });
    expect([...references.secrets, ...references.services]).toEqual(['default/s', 'default/web']);
  });

  it.each([
    { host: 7 },
    { http: { paths: [{ path: ['/'], pathType: 'Prefix', backend: { service: { name: 'web' } } }] } },
    { http: { paths: [{ path: { a: '/' }, pathType: 'Exact', backend: {} }] } },
  ])('an Ingress of a wrong shape does not stop the others: %j', rule => {
    const wrong = anIngress({ name: 'wrong', spec: { rules: [rule] as never } });
    const compilation = compileObjects({ ingresses: [wrong, site], ...web });
    expect(reasons(compilation)).toEqual(['wrong InvalidIngress']);
    expect(ownerOf(compilation.table, 'foo.com', '/')).toBe('default/site');
  });
});
