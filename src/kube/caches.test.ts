import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { configMaps } from '../api/kubernetes/core.ts';
import { secrets } from '../api/kubernetes/secret.ts';
import type { KubeObject } from '../api/meta.ts';
import { systemClock } from '../core/clock.ts';
import { silentLogger } from '../core/logger.ts';
import { type Caches, createCaches } from './caches.ts';
import { openEmbeddedApi } from './embedded/open.ts';
import { isKubeError } from './errors.ts';
import type { KubeApi } from './port.ts';

let stateDir: string;
let api: ReturnType<typeof openEmbeddedApi>;
let controller: AbortController;

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'postern-caches-'));
  api = openEmbeddedApi({ stateDir, clock: systemClock, logger: silentLogger });
  controller = new AbortController();
});

afterEach(async () => {
  controller.abort();
  await api.close();
  rmSync(stateDir, { recursive: true, force: true });
});

/** The API, whose watches tell nothing: what a cache shows then, it has from our own writes. */
function withoutWatches(): KubeApi {
  return {
    get: (resource, at, signal) => api.get(resource, at, signal),
    list: (resource, options) => api.list(resource, options),
    watch: (_, { signal }) => ({
      [Symbol.asyncIterator]: () => ({
        next: () =>
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
      }),
    }),
    create: (resource, object) => api.create(resource, object),
    update: (resource, object) => api.update(resource, object),
    updateStatus: (resource, object) => api.updateStatus(resource, object),
    mergePatch: (resource, at, patch, options) => api.mergePatch(resource, at, patch, options),
    delete: (resource, at, options) => api.delete(resource, at, options),
    serves: resource => api.serves(resource),
  };
}

const cachesOn = (port: KubeApi, namespace?: string): Caches =>
  createCaches({ api: port, clock: systemClock, logger: silentLogger, namespace });

const key = { namespace: 'default', name: 'one' };
const aConfigMap = (metadata: Partial<KubeObject['metadata']> = {}, data = { colour: 'red' }) => ({
  metadata: { ...key, ...metadata },
  data,
});

describe('caches', () => {
  it('are one for each resource and selection', () => {
    const caches = cachesOn(api);
    expect(caches.cacheOf(configMaps)).toBe(caches.cacheOf(configMaps));
    expect(caches.cacheOf(configMaps, { namespace: 'a' })).not.toBe(caches.cacheOf(configMaps));
    expect(caches.cacheOf(secrets)).not.toBe(caches.cacheOf(configMaps));
    expect(caches.status().map(({ resource }) => resource)).toEqual(['configmaps', 'configmaps', 'secrets']);
    expect(() => caches.cacheOf(configMaps, { transform: object => object })).toThrow('transform');
  });

  it('follow the API from start on, those too that are asked for later', async () => {
    await api.create(configMaps, aConfigMap());
    const caches = cachesOn(api);
    const cache = caches.cacheOf(configMaps);
    expect(cache.list()).toEqual([]);
    caches.start(controller.signal);
    await caches.synced;
    expect(cache.get(key)?.data).toEqual({ colour: 'red' });
    const later = caches.cacheOf(secrets);
    await later.synced;
    await api.create(secrets, { metadata: key, stringData: { a: 'b' } });
    await vi.waitFor(() => expect(later.get(key)?.data).toEqual({ a: 'Yg==' }));
  });

  it('hold one namespace where they are told to', async () => {
    await api.create(configMaps, aConfigMap());
    await api.create(configMaps, aConfigMap({ namespace: 'other' }));
    const caches = cachesOn(api, 'other');
    const cache = caches.cacheOf(configMaps);
    caches.start(controller.signal);
    await caches.synced;
    expect(cache.list().map(({ metadata }) => metadata.namespace)).toEqual(['other']);
  });

  it('hold a second namespace where one is asked for that is not the one they are limited to', async () => {
    const caches = cachesOn(api, 'other');
    expect(caches.cacheIn(configMaps, 'other')).toBe(caches.cacheOf(configMaps));
    const second = caches.cacheIn(configMaps, 'default');
    caches.start(controller.signal);
    await caches.synced;
    const { writer } = caches;
    await writer.create(configMaps, aConfigMap());
    await writer.create(configMaps, aConfigMap({ namespace: 'other' }));
    const namespacesIn = (cache: typeof second) => cache.list().map(({ metadata }) => metadata.namespace);
    expect([second, caches.cacheOf(configMaps)].map(namespacesIn)).toEqual([['default'], ['other']]);
    const wide = cachesOn(api);
    expect(wide.cacheIn(configMaps, 'default')).toBe(wide.cacheOf(configMaps));
  });

  it('keep what a transform leaves of an object', async () => {
    await api.create(configMaps, aConfigMap());
    const caches = cachesOn(api);
    const cache = caches.cacheOf(configMaps, { transform: ({ metadata }) => ({ metadata }) });
    caches.start(controller.signal);
    await caches.synced;
    expect(cache.get(key)?.data).toBeUndefined();
    expect(cache.get(key)?.metadata.name).toBe('one');
    expect((await api.get(configMaps, key)).data).toEqual({ colour: 'red' });
  });
});

describe('the writer', () => {
  it('shows a write before its caller has the answer, though no watch has told it', async () => {
    const caches = cachesOn(withoutWatches());
    const cache = caches.cacheOf(configMaps);
    caches.start(controller.signal);
    await caches.synced;
    const { writer } = caches;
    const colour = (): string | undefined => cache.get(key)?.data?.['colour'];

    const created = await writer.create(configMaps, aConfigMap());
    expect(cache.get(key)).toEqual(created);
    expect(Object.isFrozen(cache.get(key))).toBe(true);
    await writer.update(configMaps, { ...created, data: { colour: 'blue' } });
    expect(colour()).toBe('blue');
    await writer.mergePatch(configMaps, key, { data: { colour: 'green' } });
    expect(colour()).toBe('green');
    await api.mergePatch(configMaps, key, { data: { colour: 'white' } });
    expect(colour()).toBe('green');
    await writer.get(configMaps, key);
    expect(colour()).toBe('white');
    await writer.delete(configMaps, key);
    expect(cache.get(key)).toBeUndefined();
  });

  it('shows nothing of a write that failed', async () => {
    const caches = cachesOn(withoutWatches());
    const cache = caches.cacheOf(configMaps);
    await api.create(configMaps, aConfigMap());
    caches.start(controller.signal);
    await caches.synced;
    const failed = await caches.writer
      .delete(configMaps, key, { uid: 'another' })
      .catch((thrown: unknown) => thrown);
    expect(isKubeError(failed, 'KUBE_CONFLICT')).toBe(true);
    expect(cache.get(key)?.metadata.name).toBe('one');
  });

  it('leaves an object that waits for a finalizer to the watch, and drops it with the last one', async () => {
    const caches = cachesOn(withoutWatches());
    const cache = caches.cacheOf(configMaps);
    caches.start(controller.signal);
    await caches.synced;
    const { writer } = caches;
    await writer.create(configMaps, aConfigMap({ finalizers: ['postern.dev/test'] }));
    await writer.delete(configMaps, key);
    expect(cache.get(key)?.metadata.name).toBe('one');
    await writer.mergePatch(configMaps, key, { metadata: { finalizers: null } });
    expect(cache.get(key)).toBeUndefined();
  });

  it('spares an object that has taken the place of the deleted one meanwhile', async () => {
    const caches = cachesOn({
      ...withoutWatches(),
      async delete(resource, at, options) {
        await api.delete(resource, at, options);
        // Before we hear of the success, somebody has made a new one, and the watch has told it.
        const { uid } = await api.create(configMaps, aConfigMap()).then(({ metadata }) => metadata);
        await caches.writer.get(configMaps, key);
        expect(cache.get(key)?.metadata.uid).toBe(uid);
      },
    });
    const cache = caches.cacheOf(configMaps);
    caches.start(controller.signal);
    await caches.synced;
    await caches.writer.create(configMaps, aConfigMap());
    await caches.writer.delete(configMaps, key);
    expect(cache.get(key)?.metadata.uid).toBe((await api.get(configMaps, key)).metadata.uid);
  });

  it('folds into a cache only what the cache selects', async () => {
    const caches = cachesOn(withoutWatches());
    const red = caches.cacheOf(configMaps, { labelSelector: 'paint=red' });
    const other = caches.cacheOf(configMaps, { namespace: 'other' });
    caches.start(controller.signal);
    await caches.synced;
    await caches.writer.create(configMaps, aConfigMap({ labels: { paint: 'red' } }));
    expect(red.get(key)?.metadata.name).toBe('one');
    expect(other.list()).toEqual([]);
    await caches.writer.mergePatch(configMaps, key, { metadata: { labels: { paint: 'blue' } } });
    expect(red.list()).toEqual([]);
  });

  it('tells each write to the listeners once, though the watch tells it again', async () => {
    const caches = cachesOn(api);
    const cache = caches.cacheOf(configMaps);
    caches.start(controller.signal);
    await caches.synced;
    const told: (string | undefined)[] = [];
    cache.onChange(({ after }) => void told.push(after?.data?.['colour']));
    await caches.writer.create(configMaps, aConfigMap());
    await caches.writer.mergePatch(configMaps, key, { data: { colour: 'blue' } });
    await caches.writer.delete(configMaps, key);
    await api.create(configMaps, aConfigMap({ name: 'last' }, { colour: 'last' }));
    await vi.waitFor(() => expect(told.at(-1)).toBe('last'));
    expect(told).toEqual(['red', 'blue', undefined, 'last']);
  });
});
