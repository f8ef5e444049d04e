import { deserialize, serialize } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { aSecret } from '../compile/builders.testing.ts';
import { PrivateMaterial } from '../compile/private-material.ts';
import { StoredCertificate } from '../compile/server-certificate.ts';
import { emptyTable, type HostRoutes, type Route, type RoutingTable } from '../compile/table.ts';
import { compilePattern } from '../match/path-pattern.ts';
import { plainPolicy } from '../policy/route-policy.ts';
import { changedTable, inParts, type TableChanges, tableChanges } from './table-changes.ts';
import { fromWire, toWire } from './wire.ts';

const across = <T>(value: T): T => fromWire(deserialize(serialize(toWire(value))) as T);

function pattern(source: string, ignoreCase = false) {
  const compiled = compilePattern(source, { ignoreCase });
  if ('error' in compiled) throw new Error(compiled.error);
  return compiled.pattern;
}

function aRoute(name: string): Route {
  return {
    source: { kind: 'Ingress', namespace: 'default', name },
    host: 'foo.com',
    path: '/',
    kind: 'Prefix',
    policy: plainPolicy,
    backend: `default/${name}:80`,
    alternatives: [],
  };
}

function hostOf(host: string, route: Route): HostRoutes {
  const patterns = [{ pattern: pattern('/a+', true), elements: 1, route }];
  return {
    host,
    exact: new Map(),
    root: route,
    prefixes: new Map(),
    deepestPrefix: 0,
    patterns,
    fallback: undefined,
  };
}

describe('what goes to a worker', () => {
  it('private keys, patterns and the plain policy come out as they went in', () => {
    const route = aRoute('web');
    const sent = {
      key: new PrivateMaterial('the key'),
      patterns: [pattern('/foo|/bar'), pattern('/foo', true)],
      routes: new Map([['a', route]]),
      names: new Set(['x']),
    };
    const got = across(sent);
    expect(got.key).toBeInstanceOf(PrivateMaterial);
    expect(got.key.reveal()).toBe('the key');
    expect(got.patterns.map(one => [one.matches('/bar'), one.matches('/FOO')])).toEqual([
      [true, false],
      [false, true],
    ]);
    expect(got.routes.get('a')?.policy).toBe(plainPolicy);
    expect(got.routes.get('a')).toEqual(route);
    expect(got.names).toEqual(sent.names);
  });

  it('carries a certificate that is decoded when it is asked for, chain and key', () => {
    const certificate = new StoredCertificate(
      aSecret('shop', { 'tls.crt': 'the chain', 'tls.key': 'the key' }),
      'its id',
      1_000,
    );
    const [got] = fromWire(structuredClone(toWire([certificate])));
    expect(got).toMatchObject({
      id: 'its id',
      secret: 'default/shop',
      chain: 'the chain',
      notAfterMs: 1_000,
    });
    expect(got?.key.reveal()).toBe('the key');
    expect(JSON.stringify(certificate)).not.toMatch(/the key|dGhlIGtleQ/);
  });

  it('what holds nothing of the kind is not copied', () => {
    const plain = { a: [1, { b: 'c' }], d: new Map([['e', { f: true }]]) };
    expect(toWire(plain)).toBe(plain);
  });
});

describe('changes of a table', () => {
  const table = (hosts: Record<string, HostRoutes>, more: Partial<RoutingTable> = {}): RoutingTable => ({
    ...emptyTable,
    hosts: new Map(Object.entries(hosts)),
    ...more,
  });
  const [a, b, c] = ['a', 'b', 'c'].map(name => hostOf(`${name}.com`, aRoute(name))) as [
    HostRoutes,
    HostRoutes,
    HostRoutes,
  ];

  it('lead from the one to the other, and leave what did not change the same object', () => {
    const before = table({ 'a.com': a, 'b.com': b }, { tlsHosts: new Set(['a.com', 'b.com']) });
    const after = table(
      { 'a.com': a, 'b.com': c },
      { tlsHosts: new Set(['b.com', 'c.com']), fallback: aRoute('fallback') },
    );
    const changes = tableChanges(before, after);
    expect(changes.hosts).toEqual({ set: [['b.com', c]], removed: [] });
    const got = changedTable(before, changes);
    expect(got).toEqual(after);
    expect(got.hosts.get('a.com')).toBe(a);
    expect(got.backends).toBe(before.backends);
    expect(changedTable(got, tableChanges(after, table({})))).toEqual(table({}));
  });

  it('in parts lead there too, with no route before its backend', () => {
    const hosts = Object.fromEntries(
      Array.from({ length: 25 }, (_, index) => [`${index}.com`, hostOf(`${index}.com`, aRoute(`${index}`))]),
    );
    const backends = new Map(
      Array.from({ length: 25 }, (_, index) => {
        const key = `default/${index}:80`;
        return [key, { kind: 'unavailable', key, reason: 'gone' } as const];
      }),
    );
    const after = table(hosts, { backends });
    const parts: TableChanges[] = [...inParts(tableChanges(emptyTable, after), 10)];
    expect(parts).toHaveLength(7);
    let got = emptyTable;
    for (const part of parts) {
      got = changedTable(got, part);
      for (const { root } of got.hosts.values()) expect(got.backends.has(root?.backend ?? '')).toBe(true);
    }
    expect(got).toEqual(after);
  });
});
