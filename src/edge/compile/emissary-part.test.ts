import { describe, expect, it } from 'vitest';
import type { Mapping } from '../../api/getambassador/mapping.ts';
import { headerFieldsOf } from '../exchange/header-fields.ts';
import { findRoute } from '../match/find-route.ts';
import { parseHost } from '../match/host.ts';
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
