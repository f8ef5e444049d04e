import { describe, expect, it } from 'vitest';
import type { Mapping } from '../../api/getambassador/mapping.ts';
import type { TlsContextSpec } from '../../api/getambassador/tls-context.ts';
import { makeAuthority } from '../certificates.testing.ts';
import { headerFieldsOf } from '../exchange/header-fields.ts';
import { findRoute } from '../match/find-route.ts';
import { parseHost } from '../match/host.ts';
import { tlsProfileFor } from '../tls/tls-profile.ts';
import {
  anIngress,
  aSecret,
  aSlice,
  aSnapshot,
  compileObjects,
  type Objects,
  testNowMs,
} from './builders.testing.ts';
import { aMapping, aTlsContext, webService } from './mappings.testing.ts';
import { defaultCompileSettings } from './settings.ts';
import type { RoutingTable } from './table.ts';
import { TableCompiler } from './table-compiler.ts';

const services = [webService(), webService('other')];

function ownerOf(table: RoutingTable, url: string): string | undefined {
  const at = url.indexOf('/');
  const host = parseHost(url.slice(0, at));
  const request = { method: 'GET', query: '', fields: headerFieldsOf([]) };
  const route = host && findRoute(table, host, url.slice(at), request);
  return route && `${route.source.kind} ${route.source.name}`;
}

describe('Ingresses and Mappings of one table', () => {
  const objects: Objects = {
    services,
    ingresses: [
      anIngress({ name: 'named', rules: { 'a.example': [['/app', 'Prefix']] } }),
      anIngress({ name: 'hostless', rules: { '': [['/', 'Prefix']] } }),
      anIngress({
        name: 'rest',
        rules: { 'b.example': [['/app', 'Prefix']] },
        spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } },
      }),
    ],
    emissary: {
      mappings: [
        aMapping({ prefix: '/' }, 'all'),
        aMapping({ prefix: '/app/deep/', hostname: 'a.example' }, 'own'),
        aMapping({ prefix: '/api/', hostname: 'c.example' }, 'api'),
      ],
    },
  };
  const { table } = compileObjects(objects);

  it.each([
    ['a rule goes before a Mapping, even a longer one', 'a.example/app/deep/x', 'Ingress named'],
    ['a Mapping takes what no rule is for', 'a.example/else', 'Mapping all'],
    ['a Mapping goes before a default backend', 'b.example/else', 'Mapping all'],
    ['a Mapping of the host goes before rules without a host', 'c.example/api/x', 'Mapping api'],
    ['rules without a host go before a Mapping for every host', 'c.example/else', 'Ingress hostless'],
    ['and where there is no host', '10.0.0.1/', 'Ingress hostless'],
  ])('%s', (_name, url, expected) => {
    expect(ownerOf(table, url)).toBe(expected);
  });

  it('share the backends of Services', () => {
    expect([...table.backends.keys()]).toEqual(['default/web:80']);
  });
});

describe('compiled one after another', () => {
  const mappings = [aMapping({ hostname: 'a.example' }, 'a'), aMapping({ hostname: 'b.example' }, 'b')];
  const none = { secrets: new Set<string>(), services: new Set<string>() };

  it('what did not change stays the same object', () => {
    const compiler = new TableCompiler(defaultCompileSettings);
    const first = compiler.compile(aSnapshot({ services, emissary: { mappings } }), testNowMs);
    const again = compiler.compile(aSnapshot({ services, emissary: { mappings } }), testNowMs, none);
    expect(again.table).toBe(first.table);
    const changed: Mapping = aMapping({ hostname: 'b.example', service: 'other' }, 'b');
    const next = compiler.compile(
      aSnapshot({ services, emissary: { mappings: [...mappings.slice(0, 1), changed] } }),
      testNowMs,
      none,
    );
    expect(next.table.mappings.get('a.example')).toBe(first.table.mappings.get('a.example'));
    expect(next.table.mappings.get('b.example')).not.toBe(first.table.mappings.get('b.example'));
    expect([...next.table.backends.keys()].toSorted()).toEqual(['default/other:80', 'default/web:80']);
    const without = compiler.compile(aSnapshot({ services, emissary: { mappings: [] } }), testNowMs, none);
    expect([without.table.mappings.size, without.table.backends.size]).toEqual([0, 0]);
  });

  it('endpoints come and go without a change of the routes', () => {
    const compiler = new TableCompiler(defaultCompileSettings);
    const world = { services, emissary: { mappings } };
    const first = compiler.compile(aSnapshot(world), testNowMs);
    const slice = aSlice(
      'web',
      [{ addresses: ['10.1.0.1'] }],
      [{ name: 'http', port: 8080, protocol: 'TCP' }],
    );
    const changes = { ...none, services: new Set(['default/web']) };
    const next = compiler.compile(aSnapshot({ ...world, endpointSlices: [slice] }), testNowMs, changes);
    expect(next.table.mappings).toBe(first.table.mappings);
    expect(next.table.backends.get('default/web:80')).toMatchObject({
      endpoints: [{ address: '10.1.0.1', port: 8080 }],
    });
  });

  it('a Secret that comes is looked at, and asked for from the first time on', () => {
    const compiler = new TableCompiler(defaultCompileSettings);
    const emissary = {
      mappings: [aMapping({ service: 'https://web', tls: 'context' }, 'm')],
      tlsContexts: [aTlsContext({ ca_secret: 'ca' })],
    };
    const first = compiler.compile(aSnapshot({ services, emissary }), testNowMs);
    expect([...first.references.secrets]).toEqual(['default/ca']);
    expect(first.findings.map(({ reason }) => reason)).toEqual(['SecretNotFound', 'SecretNotFound']);
    const secrets = [aSecret('ca', { 'tls.crt': 'nonsense' })];
    const changes = { ...none, secrets: new Set(['default/ca']) };
    const next = compiler.compile(aSnapshot({ services, secrets, emissary }), testNowMs, changes);
    expect(next.findings.map(({ reason }) => reason)).toEqual(['InvalidTLSContext', 'UpstreamTLSInvalid']);
  });

  it("a TLSContext narrows how an Ingress's host is served, and takes no certificate from it", () => {
    const tls = [{ hosts: ['a.example'], secretName: 'gone' }];
    const { table, findings } = compileObjects({
      services,
      ingresses: [anIngress({ rules: { 'a.example': [['/', 'Prefix']] }, tls })],
      emissary: {
        tlsContexts: [aTlsContext({ hosts: ['a.example'], secret: 'gone', min_tls_version: 'v1.3' })],
      },
    });
    expect(table.sni.get('a.example')).toMatchObject({
      kind: 'default',
      reason: 'the Secret does not exist',
      settings: { minVersion: 'TLSv1.3' },
    });
    expect(findings.map(({ object, reason }) => [object.kind, reason])).toContainEqual([
      'TLSContext',
      'TLSConflict',
    ]);
  });

  it('a TLSContext that asks clients for certificates says which Ingresses do not', () => {
    const context = aTlsContext({
      hosts: ['a.example'],
      secret: 'gone',
      ca_secret: 'gone',
      cert_required: true,
    });
    const { findings } = compileObjects({
      services,
      ingresses: [anIngress({ rules: { 'a.example': [['/', 'Prefix']], 'b.example': [['/', 'Prefix']] } })],
      emissary: { tlsContexts: [context] },
    });
    expect(findings.map(({ message }) => message)).toContainEqual(
      'clients of Mappings alone are asked for certificates: Ingresses with rules for "a.example" are open; give them the annotation auth-tls-secret',
    );
  });

  it('a TLSContext that cannot be read, and asks for none, says nothing of certificates', () => {
    const { findings } = compileObjects({
      services,
      ingresses: [anIngress({ rules: { 'a.example': [['/', 'Prefix']] } })],
      emissary: { tlsContexts: [aTlsContext({ hosts: ['a.example'] })] },
    });
    expect(findings.filter(({ object }) => object.kind === 'TLSContext').map(({ reason }) => reason)).toEqual(
      ['InvalidTLSContext'],
    );
  });

  it('redirect_cleartext_from makes a host one with TLS', () => {
    const { table } = compileObjects({
      services,
      emissary: {
        tlsContexts: [
          aTlsContext({ hosts: ['a.example', '*'], secret: 'gone', redirect_cleartext_from: 8080 }),
        ],
      },
    });
    expect([...table.tlsHosts]).toEqual(['a.example']);
  });
});

describe('a TLSContext and the hosts of Ingresses', () => {
  const paths = [['/', 'Prefix']] as const;
  const rules = { 'a.example': paths, '*.w.example': paths, '': paths };
  const narrow: TlsContextSpec = { secret: 'gone', max_tls_version: 'v1.2', redirect_cleartext_from: 8080 };
  const world = (namespace: string, spec: TlsContextSpec): Objects => ({
    services,
    ingresses: [anIngress({ rules })],
    emissary: { tlsContexts: [aTlsContext({ ...narrow, ...spec }, 'context', namespace)] },
  });

  it.each([
    ['its name', ['a.example'], 'a.example'],
    ['a name under its wildcard', ['m.w.example'], 'm.w.example'],
    ['its wildcard', ['*.w.example'], 'm.w.example'],
    ['a wildcard over its name', ['*.example'], 'a.example'],
    ['every name', ['*'], 'a.example'],
    ['every name, and one under its wildcard', ['*'], 'm.w.example'],
    ['every name, and a client that gives none', ['*'], ''],
  ])('of another namespace changes nothing about a host, and says so: %s', (_what, hosts, name) => {
    const { table, findings } = compileObjects(world('elsewhere', { hosts }));
    expect(tlsProfileFor(table, name)).toBeUndefined();
    const told = findings.filter(({ object }) => object.kind === 'TLSContext').map(({ message }) => message);
    expect(told).toContainEqual(expect.stringMatching(/Ingress.* of (an)?other namespace/));
    expect(table.tlsHosts.has(hosts[0] ?? '')).toBe(hosts[0] === '*.example');
    expect(tlsProfileFor(compileObjects(world('default', { hosts })).table, name)?.settings).toMatchObject({
      maxVersion: 'TLSv1.2',
    });
  });

  it('serves names that no Ingress has, wherever it is', () => {
    const { table } = compileObjects(world('elsewhere', { hosts: ['*.example', '*'] }));
    expect(tlsProfileFor(table, 'b.example')?.settings).toBeDefined();
  });

  it('has the host once the Ingress has gone', () => {
    const compiler = new TableCompiler(defaultCompileSettings);
    const objects = world('elsewhere', { hosts: ['a.example'] });
    const first = compiler.compile(aSnapshot(objects), testNowMs);
    expect(tlsProfileFor(first.table, 'a.example')).toBeUndefined();
    const next = compiler.compile(aSnapshot({ ...objects, ingresses: [] }), testNowMs);
    expect(tlsProfileFor(next.table, 'a.example')?.settings).toBeDefined();
    expect(next.table.tlsHosts.has('a.example')).toBe(true);
  });

  it("takes an Ingress's host by its oldest Ingress: a younger one of another namespace changes nothing", () => {
    const objects = world('elsewhere', { hosts: ['a.example'] });
    const young = anIngress({ namespace: 'elsewhere', rules: { 'a.example': paths }, createdAt: 9 });
    const ingresses = [...(objects.ingresses ?? []), young];
    const { table } = compileObjects({ ...objects, ingresses });
    expect(tlsProfileFor(table, 'a.example')).toBeUndefined();
  });

  it('of the same namespace leaves the Ingress the client certificates that it asks for', async () => {
    const { certificate } = await makeAuthority();
    const { certificate: others } = await makeAuthority('Other CA');
    const objects = world('default', { hosts: ['a.example'], ca_secret: 'others', cert_required: true });
    const annotations = { 'nginx.ingress.kubernetes.io/auth-tls-secret': 'default/own' };
    const { table } = compileObjects({
      ...objects,
      ingresses: [anIngress({ rules: { 'a.example': paths }, annotations })],
      secrets: [aSecret('own', { 'ca.crt': certificate }), aSecret('others', { 'ca.crt': others })],
    });
    expect(tlsProfileFor(table, 'a.example')).toMatchObject({
      settings: { maxVersion: 'TLSv1.2' },
      clientCertificate: { ca: certificate },
    });
  });
});
