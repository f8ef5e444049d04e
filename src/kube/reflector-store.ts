import { type KubeObject, keyOf, keyText, type ObjectKey } from '../api/meta.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Cache, CacheChange } from './cache.ts';
import { createIndexes } from './reflector-index.ts';

/** The cache of one resource, with the side that its reflector and the writer use. */
export interface ReflectorStore<T extends KubeObject> extends Cache<T> {
  /** Takes a complete list over as the present state; what is missing from it is deleted. */
  replace(objects: readonly T[], resourceVersion: string): void;
  /** Takes one event of the watch over. Where its object is kept, what `prepare` makes of it is: most tell of our own writes. */
  apply(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T, prepare?: (object: T) => T): void;
  /** The watch has come to this version. False where it has gone back, as after a restore of the server's store. */
  advance(resourceVersion: string): boolean;
  /** Where a watch goes on from; undefined before the first list. */
  readonly resourceVersion: string | undefined;
  /**
   * Takes over what a write of our own gave back, before the watch tells it. Ignored where the cache knows better.
   * `selected` says whether the object, as it is now, belongs into this cache.
   */
  fold(object: T, selected: boolean): void;
  /** Takes over that this object was deleted by us. It does not come back by older events. */
  foldDeletion(object: KubeObject): void;
  /** Tells the listeners of every object again. */
  resync(): void;
}

/**
 * A resourceVersion as a number; 0 where it is none, so that anything is newer. Both adapters use integers that grow with
 * every write.
 */
function parseVersion(text: string | undefined): bigint {
  return text !== undefined && /^\d+$/.test(text) ? BigInt(text) : 0n;
}

const versionOf = (object: KubeObject): bigint => parseVersion(object.metadata.resourceVersion);

/**
 * Makes an empty store. Objects that are handed in must be frozen, or be so when they are prepared.
 *
 * Two streams feed it: the list and watch (in order, complete, late) and our own writes (early, partial). Versions
 * settle which knows better:
 * - an object gives way to a greater version only;
 * - `observed` is the version up to which the watch has told everything. A write that is not beyond it is old news:
 *   where its object is absent, it has been deleted since;
 * - an object of ours that is beyond a list outlives that list;
 * - a deletion of ours is remembered by uid until the watch or a list confirms it. An event after it that shows
 *   the object being finalized means it is not gone yet.
 */
export function createReflectorStore<T extends KubeObject>(logger: Logger): ReflectorStore<T> {
  const entries = new Map<string, T>();
  /** Keys of what was there before the server's store went back in time: anything is newer. */
  const outlived = new Set<string>();
  const indexes = createIndexes<T>(logger);
  const listeners = new Set<(change: CacheChange<T>) => void>();
  /** Uids that we deleted and the watch has not yet told, and the version of each that was the last we know. */
  const tombstones = new Map<string, bigint>();
  /** Results of `list`, good until the next change; `''` is all namespaces. */
  const snapshots = new Map<string, readonly T[]>();
  const { promise: synced, resolve: resolveSynced } = Promise.withResolvers<void>();
  let isSynced = false;
  let observed: bigint | undefined;
  /** As the server wrote it. */
  let observedText: string | undefined;

  const call = (listener: (change: CacheChange<T>) => void, change: CacheChange<T>): void => {
    try {
      listener(change);
    } catch (thrown) {
      logger.error('a cache listener failed', { error: messageOf(thrown) });
    }
  };
  const emit = (before: T | undefined, after: T | undefined): void => {
    for (const listener of listeners) call(listener, { before, after });
  };

  /** Not kept beside each object: for thousands that is memory, and to read it again is nothing. */
  const versionAt = (key: string, object: T): bigint => (outlived.has(key) ? -1n : versionOf(object));

  const set = (key: string, before: T | undefined, after: T | undefined): void => {
    const { namespace = '' } = (after ?? before)?.metadata ?? {};
    outlived.delete(key);
    if (after === undefined) entries.delete(key);
    else entries.set(key, after);
    snapshots.delete('');
    snapshots.delete(namespace);
    indexes.update(key, before, after);
    emit(before, after);
  };

  const keyFor = (object: KubeObject): string => keyText(keyOf(object));
  const uidOf = (object: KubeObject): string => object.metadata.uid ?? '';

  /** Whether this is an object that we deleted, as it stood before. One that is being finalized is not gone yet. */
  const isBuried = (object: T): boolean => {
    const last = tombstones.get(uidOf(object));
    if (last === undefined) return false;
    if (versionOf(object) <= last || object.metadata.deletionTimestamp === undefined) return true;
    tombstones.delete(uidOf(object));
    return false;
  };

  const put = (object: T, prepare: (object: T) => T = given => given): void => {
    const key = keyFor(object);
    const before = entries.get(key);
    if (before !== undefined && versionAt(key, before) >= versionOf(object)) return;
    if (isBuried(object)) return;
    set(key, before, prepare(object));
  };

  const observe = (resourceVersion: string): boolean => {
    const version = parseVersion(resourceVersion);
    if (observed !== undefined && version < observed) return false;
    observed = version;
    observedText = resourceVersion;
    return true;
  };

  const snapshot = (namespace: string): readonly T[] => {
    const known = snapshots.get(namespace);
    if (known !== undefined) return known;
    const all = [...entries.values()];
    const made = Object.freeze(
      namespace === '' ? all : all.filter(({ metadata }) => metadata.namespace === namespace),
    );
    snapshots.set(namespace, made);
    return made;
  };

  return {
    get: (key: ObjectKey) => entries.get(keyText(key)),

    list: (namespace = '') => snapshot(namespace),

    byIndex: (name, value) => indexes.find(name, value),

    addIndex(name, valuesOf) {
      indexes.add(name, valuesOf);
      for (const [key, object] of entries) indexes.fill(name, key, object);
    },

    onChange(listener) {
      for (const object of entries.values()) call(listener, { before: undefined, after: object });
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    synced,
    get isSynced() {
      return isSynced;
    },
    get resourceVersion() {
      return observedText;
    },

    replace(objects, resourceVersion) {
      const listed = parseVersion(resourceVersion);
      if (observed !== undefined && listed < observed) {
        // The server's store went back in time: nothing that is here can be trusted to be newer.
        tombstones.clear();
        for (const key of entries.keys()) outlived.add(key);
      }
      observed = listed;
      observedText = resourceVersion;
      const keys = new Set<string>();
      const uids = new Set<string>();
      for (const object of objects) {
        const key = keyFor(object);
        keys.add(key);
        uids.add(uidOf(object));
        const before = entries.get(key);
        if (before !== undefined && versionAt(key, before) >= versionOf(object)) emit(before, before);
        else put(object);
      }
      for (const [key, object] of entries) {
        if (!keys.has(key) && versionAt(key, object) <= listed) set(key, object, undefined);
      }
      for (const uid of tombstones.keys()) if (!uids.has(uid)) tombstones.delete(uid);
      if (!isSynced) {
        isSynced = true;
        resolveSynced();
      }
    },

    apply(type, object, prepare) {
      if (type === 'DELETED') {
        tombstones.delete(uidOf(object));
        const key = keyFor(object);
        const before = entries.get(key);
        if (before !== undefined && versionAt(key, before) <= versionOf(object)) set(key, before, undefined);
      } else {
        put(object, prepare);
      }
      observe(object.metadata.resourceVersion ?? '');
    },

    advance: observe,

    fold(object, selected) {
      if (observed === undefined || versionOf(object) <= observed) return;
      if (selected) {
        put(object);
        return;
      }
      const key = keyFor(object);
      const before = entries.get(key);
      if (before !== undefined && versionAt(key, before) < versionOf(object)) set(key, before, undefined);
    },

    foldDeletion(object) {
      const key = keyFor(object);
      const before = entries.get(key);
      if (before === undefined || uidOf(before) !== uidOf(object)) return;
      const [version, cached] = [versionOf(object), versionAt(key, before)];
      tombstones.set(uidOf(object), version > cached ? version : cached);
      set(key, before, undefined);
    },

    resync() {
      for (const object of snapshot('')) emit(object, object);
    },
  };
}
