import type { KubeObject, ObjectKey } from '../api/meta.ts';

/** A change in a cache: what stood there before, what stands there now. Both are frozen. */
export interface CacheChange<T> {
  readonly before: T | undefined;
  readonly after: T | undefined;
}

/**
 * A read-only local copy of the objects of one resource, kept by a reflector. Objects are frozen: to change
 * one, make a new one and write it. Listeners must only enqueue keys; they are called in the order of the
 * changes, and for every object again when it is re-listed.
 */
export interface Cache<T extends KubeObject> {
  get(key: ObjectKey): T | undefined;
  /** All objects, or those of one namespace. */
  list(namespace?: string): readonly T[];
  /** The objects for which the index function, given to `addIndex` under this name, yields `value`. */
  byIndex(name: string, value: string): readonly T[];
  /** Declares an index before the cache starts; the function must be pure. */
  addIndex(name: string, valuesOf: (object: T) => readonly string[]): void;
  /** Calls `listener` for every object there is and for every change from now on. Returns its canceller. */
  onChange(listener: (change: CacheChange<T>) => void): () => void;
  /** Resolves once the first complete list is in. */
  readonly synced: Promise<void>;
  readonly isSynced: boolean;
}
