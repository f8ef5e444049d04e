import { beforeEach, describe, expect, it } from 'vitest';
import { type ManualClock, manualClock } from '../core/clock.testing.ts';
import { silentLogger } from '../core/logger.ts';
import { makeAuthority } from './certificates.testing.ts';
import { anIngress, aSecret, aService, aSlice } from './compile/builders.testing.ts';
import { defaultCompileSettings } from './compile/settings.ts';
import type { RoutingTable } from './compile/table.ts';
import { type MemoryCaches, memoryCaches } from './memory-caches.testing.ts';
import { TableKeeper } from './table-keeper.ts';

const site = anIngress({
  rules: { 'foo.com': [['/', 'Prefix']] },
  tls: [{ hosts: ['foo.com'], secretName: 'foo' }],
});

describe('the table keeper', () => {
  let clock: ManualClock;
  let caches: MemoryCaches;
  let tables: RoutingTable[];
  let keeper: TableKeeper;
  let published: () => void;

  beforeEach(() => {
    clock = manualClock();
    caches = memoryCaches();
    tables = [];
    published = () => {};
    const publish = ({ table }: { table: RoutingTable }): void => {
      tables.push(table);
      published();
    };
    const settings = { ...defaultCompileSettings };
    keeper = new TableKeeper({ caches, settings, debounceMs: 5, clock, logger: silentLogger, publish });
  });

  const started = async (): Promise<void> => {
    caches.apply(site, aService(), aSlice());
    caches.sync();
    await keeper.start();
    clock.advance(1_000);
  };

  it('compiles nothing before the caches are complete', async () => {
    const start = keeper.start();
    caches.apply(site);
    clock.advance(1_000);
    expect(tables).toHaveLength(0);
    caches.sync();
    await start;
    expect(tables.map(table => table.hosts.size)).toEqual([1]);
  });

  it('gathers changes that come together into one table', async () => {
    await started();
    for (const name of ['a', 'b', 'c'])
      caches.apply(anIngress({ name, rules: { [`${name}.com`]: [['/', 'Prefix']] } }));
    expect(tables).toHaveLength(1);
    clock.advance(600);
    expect(tables.map(table => table.hosts.size)).toEqual([1, 4]);
  });

  it('does not wait because the clock was set back', async () => {
    await started();
    clock.set(clock.now() - 86_400_000);
    caches.apply(anIngress({ name: 'a', rules: { 'a.com': [['/', 'Prefix']] } }));
    clock.advance(600);
    expect(tables.map(table => table.hosts.size)).toEqual([1, 2]);
  });

  it.each([
    ['a Secret that an Ingress names', () => aSecret('foo', { a: 'b' }), 2],
    ['a Secret that none names', () => aSecret('other', { a: 'b' }), 1],
    ['a Service that an Ingress names', () => aService('web', { ports: [{ port: 81 }] }), 2],
    ['a Service that none names', () => aService('other'), 1],
    ['a slice of a named Service', () => aSlice('web', [{ addresses: ['10.0.0.9'] }]), 2],
    ['a slice of another Service', () => aSlice('other'), 1],
    [
      'the Endpoints of a named Service',
      () => ({ kind: 'Endpoints', metadata: { namespace: 'default', name: 'web' } }),
      2,
    ],
    [
      'Endpoints that change every two seconds',
      () => ({ kind: 'Endpoints', metadata: { namespace: 'kube-system', name: 'leader' } }),
      1,
    ],
    ['an IngressClass', () => ({ kind: 'IngressClass', metadata: { name: 'x' } }), 2],
  ])('%s: %i table in all', async (_what, object, expected) => {
    await started();
    caches.apply(object());
    clock.advance(600);
    expect(tables).toHaveLength(expected);
  });

  it('makes one backend anew where endpoints change, and nothing else', async () => {
    await started();
    caches.apply(aSlice('web', [{ addresses: ['10.0.0.9'] }]));
    clock.advance(600);
    const [before, after] = tables;
    expect(after?.backends.get('default/web:80')).toMatchObject({ endpoints: [{ address: '10.0.0.9' }] });
    expect(after?.hosts).toBe(before?.hosts);
  });

  it('follows a slice that goes, and one that goes over to another Service', async () => {
    caches.apply(anIngress({ name: 'api', rules: { 'api.com': [['/', 'Prefix', 'api']] } }), aService('api'));
    await started();
    const countOf = (key: string): number => {
      const backend = tables.at(-1)?.backends.get(key);
      return backend?.kind === 'endpoints' ? backend.endpoints.length : -1;
    };
    expect([countOf('default/web:80'), countOf('default/api:80')]).toEqual([1, 0]);
    const slice = aSlice('web');
    caches.apply({
      ...slice,
      metadata: { ...slice.metadata, labels: { 'kubernetes.io/service-name': 'api' } },
    });
    clock.advance(600);
    expect([countOf('default/web:80'), countOf('default/api:80')]).toEqual([0, 1]);
    caches.remove({
      ...slice,
      metadata: { ...slice.metadata, labels: { 'kubernetes.io/service-name': 'api' } },
    });
    clock.advance(600);
    expect([countOf('default/web:80'), countOf('default/api:80')]).toEqual([0, 0]);
  });

  it('takes many changes over in slices, and what changes meanwhile with them', async () => {
    await started();
    const { promise, resolve } = Promise.withResolvers<void>();
    published = resolve;
    for (let index = 0; index < 200; index += 1)
      caches.apply(anIngress({ name: `i${index}`, rules: { [`i${index}.com`]: [['/', 'Prefix', 'late']] } }));
    clock.advance(600);
    expect(tables).toHaveLength(1);
    caches.apply(aService('late'), aSlice('late'));
    await promise;
    expect(tables.at(-1)?.hosts.size).toBe(201);
    expect(tables.at(-1)?.backends.get('default/late:80')).toMatchObject({ kind: 'endpoints' });
  });

  it('compiles again when a certificate in use expires', async () => {
    const authority = await makeAuthority('CA', clock.now());
    const { chain, key } = await authority.issue(['foo.com'], { notAfterMs: clock.now() + 3_600_000 });
    caches.apply(aSecret('foo', { 'tls.crt': chain, 'tls.key': key }));
    await started();
    expect(tables).toHaveLength(1);
    clock.advance(3_600_000);
    expect(tables).toHaveLength(2);
    clock.advance(86_400_000);
    expect(tables).toHaveLength(2);
  });

  it('ends its start where it is stopped before the caches are complete', async () => {
    const start = keeper.start();
    keeper.stop();
    await start;
    expect(tables).toHaveLength(0);
  });

  it('compiles nothing more once it is stopped', async () => {
    await started();
    keeper.stop();
    caches.apply(anIngress({ name: 'late', rules: { 'b.com': [['/', 'Prefix']] } }));
    clock.advance(600);
    expect(tables).toHaveLength(1);
  });
});
