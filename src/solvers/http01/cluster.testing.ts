import { onTestFinished } from 'vitest';
import { type Challenge, challenges } from '../../api/acme/challenge.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { Resource } from '../../api/resource.ts';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/logger.ts';
import { type Caches, createCaches } from '../../kube/caches.ts';
import { anEmbeddedApi } from '../../kube/embedded/store.testing.ts';
import type { KubeApi } from '../../kube/port.ts';

/** A store with caches for one test. */
export interface TestCluster {
  /** Writes as another program would. */
  readonly outside: KubeApi;
  /** Writes as the program does: the caches see them at once. */
  readonly api: KubeApi;
  readonly caches: Caches;
  /** Writes through `api` so far: `create Ingress`, `update Service`, `delete Ingress`. */
  readonly writes: string[];
  /** What `api` does before its next update; then it is forgotten. */
  readonly beforeNextUpdate: (work: () => Promise<unknown>) => void;
  /** Starts the caches; to be called once all indexes are added. */
  readonly start: () => Promise<void>;
  /** Stores a challenge; without it, what it owns is garbage. */
  readonly challenge: (challenge: Challenge) => Promise<Challenge>;
  readonly all: <T extends KubeObject>(resource: Resource<T>) => Promise<readonly T[]>;
}

/** `without` are resources that the server does not serve. */
export function aCluster(without: readonly Resource<KubeObject>[] = []): TestCluster {
  const store = anEmbeddedApi();
  const writes: string[] = [];
  let intrusion: (() => Promise<unknown>) | undefined;
  const counting: KubeApi = {
    get: (resource, key, signal) => store.get(resource, key, signal),
    list: (resource, options) => store.list(resource, options),
    watch: (resource, options) => store.watch(resource, options),
    async create(resource, object) {
      writes.push(`create ${resource.kind}`);
      return store.create(resource, object);
    },
    async update(resource, object) {
      const work = intrusion;
      intrusion = undefined;
      await work?.();
      writes.push(`update ${resource.kind}`);
      return store.update(resource, object);
    },
    updateStatus: (resource, object) => store.updateStatus(resource, object),
    mergePatch: (resource, key, patch, options) => store.mergePatch(resource, key, patch, options),
    async delete(resource, key, options) {
      writes.push(`delete ${resource.kind}`);
      await store.delete(resource, key, options);
    },
    serves: async resource => !without.includes(resource) && store.serves(resource),
  };
  const caches = createCaches({ api: counting, clock: systemClock, logger: silentLogger });
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  return {
    outside: store,
    api: caches.writer,
    caches,
    writes,
    beforeNextUpdate(work) {
      intrusion = work;
    },
    async start() {
      caches.start(abort.signal);
      await caches.synced;
    },
    challenge: challenge => store.create(challenges, challenge),
    all: async resource => (await store.list(resource)).items,
  };
}
