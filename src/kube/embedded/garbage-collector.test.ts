import { describe, expect, it } from 'vitest';
import { clusterIssuers } from '../../api/cert-manager/issuer.ts';
import { type ConfigMap, configMaps } from '../../api/kubernetes/core.ts';
import { secrets } from '../../api/kubernetes/secret.ts';
import type { KubeObject, OwnerReference } from '../../api/meta.ts';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/logger.ts';
import { type EmbeddedApi, openEmbeddedApi } from './open.ts';
import { anEmbeddedApi, aStateFolder } from './store.testing.ts';

function ownerOf(object: KubeObject, overrides: Partial<OwnerReference> = {}): OwnerReference {
  const { apiVersion = '', kind = '', metadata } = object;
  return { apiVersion, kind, name: metadata.name ?? '', uid: metadata.uid ?? '', ...overrides };
}

function aConfigMap(api: EmbeddedApi, name: string, owners: OwnerReference[] = []): Promise<ConfigMap> {
  return api.create(configMaps, { metadata: { namespace: 'default', name, ownerReferences: owners } });
}

async function names(api: EmbeddedApi): Promise<string[]> {
  await api.tidy();
  return (await api.list(configMaps)).items.map(object => object.metadata.name ?? '');
}

const otherUid = '00000000-0000-0000-0000-000000000000';

describe('garbage collection', () => {
  it('collects a chain of owners down to its end', async () => {
    const api = anEmbeddedApi();
    const first = await aConfigMap(api, 'first');
    const second = await aConfigMap(api, 'second', [ownerOf(first)]);
    await aConfigMap(api, 'third', [ownerOf(second)]);
    expect(await names(api)).toEqual(['first', 'second', 'third']);
    await api.delete(configMaps, { namespace: 'default', name: 'first' });
    expect(await names(api)).toEqual([]);
  });

  it('collects what is created under an owner that is not there, or is another one by now', async () => {
    const api = anEmbeddedApi();
    const owner = await aConfigMap(api, 'owner');
    await aConfigMap(api, 'orphan', [ownerOf(owner, { name: 'absent' })]);
    await aConfigMap(api, 'late', [ownerOf(owner, { uid: otherUid })]);
    expect(await names(api)).toEqual(['owner']);
  });

  it('looks for the owner in the namespace of the object', async () => {
    const api = anEmbeddedApi();
    const owner = await aConfigMap(api, 'owner');
    const metadata = { namespace: 'other', name: 'owned', ownerReferences: [ownerOf(owner)] };
    await api.create(configMaps, { metadata });
    expect(await names(api)).toEqual(['owner']);
  });

  it('finds owners without a namespace', async () => {
    const api = anEmbeddedApi();
    const issuer = await api.create(clusterIssuers, {
      metadata: { name: 'ca' },
      spec: { selfSigned: {} },
    });
    await aConfigMap(api, 'owned', [ownerOf(issuer)]);
    expect(await names(api)).toEqual(['owned']);
    await api.delete(clusterIssuers, { namespace: '', name: 'ca' });
    expect(await names(api)).toEqual([]);
  });

  it('only takes the reference where another owner is left', async () => {
    const api = anEmbeddedApi();
    const [a, b] = [await aConfigMap(api, 'a'), await aConfigMap(api, 'b')];
    await aConfigMap(api, 'owned', [ownerOf(a), ownerOf(b)]);
    await api.delete(configMaps, { namespace: 'default', name: 'a' });
    await api.tidy();
    const owned = await api.get(configMaps, { namespace: 'default', name: 'owned' });
    expect(owned.metadata.ownerReferences).toEqual([ownerOf(b)]);
  });

  it('leaves alone what has an owner of a kind that is not served', async () => {
    const api = anEmbeddedApi();
    await aConfigMap(api, 'owned', [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'x', uid: otherUid }]);
    expect(await names(api)).toEqual(['owned']);
  });

  it('waits for the finalizers of what it collects', async () => {
    const api = anEmbeddedApi();
    const owner = await aConfigMap(api, 'owner');
    await api.create(secrets, {
      metadata: {
        namespace: 'default',
        name: 'owned',
        ownerReferences: [ownerOf(owner)],
        finalizers: ['a.example/b'],
      },
    });
    await api.delete(configMaps, { namespace: 'default', name: 'owner' });
    await api.tidy();
    const owned = await api.get(secrets, { namespace: 'default', name: 'owned' });
    expect(owned.metadata.deletionTimestamp).toBeDefined();
  });

  it('makes good at the start what the process before did not come to', async () => {
    const stateDir = aStateFolder();
    const before = openEmbeddedApi({ stateDir, clock: systemClock, logger: silentLogger });
    const owner = await aConfigMap(before, 'owner');
    await aConfigMap(before, 'owned', [ownerOf(owner)]);
    await before.tidy();
    // The deletion is committed at once; the collector, whose turn comes later, is stopped before it.
    const deleted = before.delete(configMaps, { namespace: 'default', name: 'owner' });
    await before.close();
    await deleted;
    const reader = openEmbeddedApi({ stateDir, clock: systemClock, logger: silentLogger, readOnly: true });
    expect((await reader.list(configMaps)).items.map(object => object.metadata.name)).toEqual(['owned']);
    await reader.close();
    expect(await names(anEmbeddedApi({ stateDir }))).toEqual([]);
  });
});
