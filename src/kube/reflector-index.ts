import type { KubeObject } from '../api/meta.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';

/** The custom indexes of a cache: from a value to the objects for which the index's function yields it. */
export interface Indexes<T extends KubeObject> {
  /** Declares an index, empty. Throws where the name is taken. */
  add(name: string, valuesOf: (object: T) => readonly string[]): void;
  /** Puts an object into one index. */
  fill(name: string, key: string, object: T): void;
  /** Moves an object in all of them. */
  update(key: string, before: T | undefined, after: T | undefined): void;
  /** Throws where no index has this name. */
  find(name: string, value: string): readonly T[];
}

/** An object under its key. Most values of an index lead to one object: a map for each takes more memory than the object. */
interface Single<T> {
  readonly key: string;
  readonly object: T;
}

interface Index<T> {
  readonly valuesOf: (object: T) => readonly string[];
  readonly objects: Map<string, Single<T> | Map<string, T>>;
}

/** No indexes yet. A function that throws is logged, and its object left out. */
export function createIndexes<T extends KubeObject>(logger: Logger): Indexes<T> {
  const indexes = new Map<string, Index<T>>();

  const valuesOf = (name: string, index: Index<T>, object: T): ReadonlySet<string> => {
    try {
      return new Set(index.valuesOf(object));
    } catch (thrown) {
      logger.error('a cache index failed', { index: name, error: messageOf(thrown) });
      return new Set();
    }
  };
  const insert = (index: Index<T>, value: string, key: string, object: T): void => {
    const found = index.objects.get(value);
    if (found instanceof Map) found.set(key, object);
    else if (found === undefined || found.key === key) index.objects.set(value, { key, object });
    else {
      const both = new Map([[found.key, found.object]]);
      index.objects.set(value, both.set(key, object));
    }
  };
  const remove = (index: Index<T>, value: string, key: string): void => {
    const found = index.objects.get(value);
    if (found instanceof Map) {
      if (found.delete(key) && found.size === 0) index.objects.delete(value);
    } else if (found?.key === key) index.objects.delete(value);
  };
  const indexOf = (name: string): Index<T> => {
    const index = indexes.get(name);
    if (index === undefined) throw new Error(`no index "${name}" was added to this cache`);
    return index;
  };

  return {
    add(name, valuesOf) {
      if (indexes.has(name)) throw new Error(`the cache has an index "${name}" already`);
      indexes.set(name, { valuesOf, objects: new Map() });
    },
    fill(name, key, object) {
      const index = indexOf(name);
      for (const value of valuesOf(name, index, object)) insert(index, value, key, object);
    },
    update(key, before, after) {
      for (const [name, index] of indexes) {
        if (before !== undefined)
          for (const value of valuesOf(name, index, before)) remove(index, value, key);
        if (after !== undefined) {
          for (const value of valuesOf(name, index, after)) insert(index, value, key, after);
        }
      }
    },
    find(name, value) {
      const found = indexOf(name).objects.get(value);
      if (found instanceof Map) return [...found.values()];
      return found === undefined ? [] : [found.object];
    },
  };
}
