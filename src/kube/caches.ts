import type { KubeObject } from '../api/meta.ts';
import { apiVersionOf, type Resource, resourceId } from '../api/resource.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { Cache } from './cache.ts';
import type { KubeApi, Selection } from './port.ts';
import { createReflector, type Reflector, type ReflectorStatus } from './reflector.ts';
import { type Prepare, prepareWith } from './reflector-object.ts';
import { createReflectorStore, type ReflectorStore } from './reflector-store.ts';
import { parseSelection } from './selector.ts';
import { type Folding, foldingApi } from './writer.ts';

/** Which objects a cache holds, and what it keeps of each. */
export interface CacheOptions<T extends KubeObject> extends Selection {
  /** Gives what is kept instead of the object, to save memory. Must be pure and keep the metadata. */
  readonly transform?: ((object: T) => T) | undefined;
}

/** How one cache fares. */
export interface CacheStatus extends ReflectorStatus {
  /** `secrets`, `certificates.cert-manager.io`. */
  readonly resource: string;
  /** How many objects it holds. */
  readonly objects: number;
}

/** The caches of this process, one reflector for each resource and selection. */
export interface Caches {
  /**
   * The cache of a resource; the same one each time. It follows the API from `start` on, or at once where that has
   * been called. Throws where the resource was asked for with another `transform` before.
   */
  cacheOf<T extends KubeObject>(resource: Resource<T>, options?: CacheOptions<T>): Cache<T>;
  /**
   * The cache that holds the objects of this namespace: that of `cacheOf`, or one of its own where the caches are limited to
   * another namespace.
   */
  cacheIn<T extends KubeObject>(
    resource: Resource<T>,
    namespace: string,
    options?: Pick<CacheOptions<T>, 'transform'>,
  ): Cache<T>;
  /** Follows the API until `signal`. To be called once. */
  start(signal: AbortSignal): void;
  /** Resolves once every cache that was there at `start` holds its first complete list. */
  readonly synced: Promise<void>;
  status(): readonly CacheStatus[];
  /**
   * The API, whose results go into the caches at once: who reads a cache after a write of its own sees that write.
   * Reconcilers read from the caches and write through this.
   */
  readonly writer: KubeApi;
}

export interface CachesOptions {
  readonly api: KubeApi;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Namespaced resources are followed in this namespace alone. */
  readonly namespace?: string | undefined;
  /** Every object is told to the listeners again after about this time, in milliseconds. */
  readonly resyncMs?: number;
  readonly random?: () => number;
}

interface Followed {
  readonly resource: Resource<KubeObject>;
  readonly store: ReflectorStore<KubeObject>;
  readonly reflector: Reflector;
  readonly prepare: Prepare<KubeObject>;
  readonly transform: unknown;
  /** Whether an object belongs into the cache. */
  readonly selects: (object: KubeObject) => boolean;
}

const tenMinutesMs = 10 * 60_000;

const sameResource = (a: Resource<KubeObject>, b: Resource<KubeObject>): boolean =>
  resourceId(a) === resourceId(b) && a.version === b.version;

/** Gone with this very write: the last finalizer of an object that was being deleted. */
const isFinalized = ({ metadata }: KubeObject): boolean =>
  metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0;

/** Makes the caches of a process; nothing is read before `start`. */
export function createCaches(options: CachesOptions): Caches {
  const { api, clock, logger } = options;
  const followed = new Map<string, Followed>();
  /** Those without a selection, which are asked for all the time. */
  const wholes = new Map<Resource<KubeObject>, ReflectorStore<KubeObject>>();
  const { promise: synced, resolve: resolveSynced } = Promise.withResolvers<void>();
  let running: AbortSignal | undefined;

  const follow = <T extends KubeObject>(
    resource: Resource<T>,
    selection: Selection,
    transform: ((object: T) => T) | undefined,
  ): Followed => {
    const { resyncMs = tenMinutesMs, random = Math.random } = options;
    const store = createReflectorStore<T>(logger.child({ resource: resourceId(resource) }));
    const prepare = prepareWith(transform);
    const common = { api, resource, selection, store, prepare, clock, logger };
    const reflector = createReflector<T>({ ...common, resyncMs, random });
    const made = {
      resource,
      store,
      reflector,
      prepare,
      transform,
      selects: parseSelection(selection).matches,
    };
    // The type of the objects is that of the resource, which is part of the key that they are found by.
    return made as unknown as Followed;
  };

  const cachesOf = (resource: Resource<KubeObject>): Followed[] =>
    Array.from(followed.values()).filter(one => sameResource(one.resource, resource));
  const fold = (resource: Resource<KubeObject>, object: KubeObject): void => {
    for (const one of cachesOf(resource)) one.store.fold(one.prepare(object), one.selects(object));
  };
  const folding: Folding = {
    read: fold,
    written(resource, object) {
      if (!isFinalized(object)) fold(resource, object);
      else for (const one of cachesOf(resource)) one.store.foldDeletion(object);
    },
    deleting(resource, key) {
      // As cached before the call: after it, another object may stand there, which nobody has deleted.
      const cached = cachesOf(resource).map(({ store }) => ({ store, object: store.get(key) }));
      return () => {
        for (const { store, object } of cached) {
          // With finalizers it stays, and the watch tells how it goes.
          if (object !== undefined && (object.metadata.finalizers ?? []).length === 0)
            store.foldDeletion(object);
        }
      };
    },
  };

  const caches: Caches = {
    cacheOf<T extends KubeObject>(resource: Resource<T>, wanted?: CacheOptions<T>): Cache<T> {
      // The type of the objects is that of the resource, which is part of the key that they are found by.
      const whole = wanted === undefined ? wholes.get(resource) : undefined;
      if (whole !== undefined) return whole as unknown as Cache<T>;
      const { transform, labelSelector, fieldSelector } = wanted ?? {};
      const namespace = resource.namespaced ? (wanted?.namespace ?? options.namespace) : undefined;
      const selection = { namespace, labelSelector, fieldSelector };
      const id = JSON.stringify([resourceId(resource), apiVersionOf(resource), selection]);
      let found = followed.get(id);
      if (found === undefined) {
        found = follow(resource, selection, transform);
        followed.set(id, found);
        if (running !== undefined) void found.reflector.run(running);
      } else if (transform !== undefined && found.transform !== transform) {
        throw new Error(`the cache of ${resourceId(resource)} is there already, with another transform`);
      }
      if (wanted === undefined) wholes.set(resource, found.store);
      return found.store as unknown as Cache<T>;
    },

    cacheIn: (resource, namespace, wanted = {}) =>
      caches.cacheOf(resource, options.namespace === undefined ? wanted : { ...wanted, namespace }),

    start(signal) {
      running = signal;
      for (const { reflector } of followed.values()) void reflector.run(signal);
      void Promise.all(Array.from(followed.values(), one => one.store.synced)).then(() => resolveSynced());
    },

    synced,

    status: () =>
      Array.from(followed.values(), ({ resource, store, reflector }) => ({
        resource: resourceId(resource),
        objects: store.list().length,
        ...reflector.status(),
      })),

    writer: foldingApi(api, folding),
  };
  return caches;
}
