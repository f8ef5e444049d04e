import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../api/meta.ts';
import { silentLogger } from '../core/logger.ts';
import { createReflectorStore } from './reflector-store.ts';

interface Thing extends KubeObject {
  colour?: string;
}

function aThing(
  name: string,
  version: number,
  more: Partial<KubeObject['metadata']> = {},
  colour = 'red',
): Thing {
  return {
    apiVersion: 'v1',
    kind: 'Thing',
    metadata: { namespace: 'a', name, uid: `uid-${name}`, resourceVersion: String(version), ...more },
    colour,
  };
}

const key = { namespace: 'a', name: 'one' };

function aStore(objects: readonly Thing[] = [], version = '10') {
  const store = createReflectorStore<Thing>(silentLogger);
  store.replace(objects, version);
  const changes: [string | undefined, string | undefined][] = [];
  store.onChange(({ before, after }) =>
    changes.push([before?.metadata.resourceVersion, after?.metadata.resourceVersion]),
  );
  changes.length = 0;
  const current = (): string | undefined => store.get(key)?.metadata.resourceVersion;
  return { store, changes, version: current };
}

describe('reading a store', () => {
  const one = aThing('one', 1);
  const two = aThing('two', 2, { namespace: 'b' }, 'blue');

  it('finds objects by key, by namespace and all of them', () => {
    const { store } = aStore([one, two]);
    expect(store.get({ namespace: 'b', name: 'two' })).toBe(two);
    expect(store.get({ namespace: 'a', name: 'two' })).toBeUndefined();
    expect(store.list()).toEqual([one, two]);
    expect(store.list('b')).toEqual([two]);
    expect(store.list('c')).toEqual([]);
  });

  it('gives the same array until something changes in it', () => {
    const { store } = aStore([one, two]);
    const [all, ofA, ofB] = [store.list(), store.list('a'), store.list('b')];
    expect(store.list()).toBe(all);
    store.apply('MODIFIED', aThing('two', 11, { namespace: 'b' }));
    expect(store.list('a')).toBe(ofA);
    expect(store.list('b')).not.toBe(ofB);
    expect(store.list()).toHaveLength(2);
    expect(all).toEqual([one, two]);
  });

  it('keeps indexes as objects come, change and go', () => {
    const { store } = aStore([one, two]);
    store.addIndex('colour', ({ colour }) => (colour === undefined ? [] : [colour, colour]));
    expect(store.byIndex('colour', 'red')).toEqual([one]);
    const painted = aThing('one', 11, {}, 'blue');
    store.apply('MODIFIED', painted);
    expect(store.byIndex('colour', 'red')).toEqual([]);
    expect(store.byIndex('colour', 'blue')).toEqual([two, painted]);
    store.apply('DELETED', aThing('one', 12));
    expect(store.byIndex('colour', 'blue')).toEqual([two]);
    expect(() => store.byIndex('shape', 'round')).toThrow('shape');
    expect(() => store.addIndex('colour', () => [])).toThrow('colour');
  });

  it('tells a new listener of what is there, and one that left of nothing', () => {
    const { store } = aStore([one]);
    const seen: unknown[] = [];
    const leave = store.onChange(({ before, after }) => void seen.push([before, after]));
    expect(seen).toEqual([[undefined, one]]);
    leave();
    store.apply('ADDED', aThing('three', 12));
    expect(seen).toHaveLength(1);
  });

  it('is synced with its first list', async () => {
    const store = createReflectorStore<Thing>(silentLogger);
    expect(store.isSynced).toBe(false);
    store.replace([], '1');
    await store.synced;
    expect(store.isSynced).toBe(true);
  });
});

describe('our own writes', () => {
  it('show at once, and the event that follows tells nothing new', () => {
    const { store, changes, version } = aStore([aThing('one', 5)]);
    store.fold(aThing('one', 12), true);
    expect(version()).toBe('12');
    store.apply('MODIFIED', aThing('one', 12));
    expect(changes).toEqual([['5', '12']]);
  });

  it('are not undone by events from before', () => {
    const { store, version } = aStore([aThing('one', 5)]);
    store.fold(aThing('one', 14), true);
    store.apply('MODIFIED', aThing('one', 12));
    expect(version()).toBe('14');
    store.apply('MODIFIED', aThing('one', 15));
    expect(version()).toBe('15');
  });

  it('do not undo what the watch told already', () => {
    const { store, version } = aStore([aThing('one', 5)]);
    store.apply('MODIFIED', aThing('one', 13));
    store.fold(aThing('one', 12), true);
    expect(version()).toBe('13');
    store.apply('DELETED', aThing('one', 14));
    store.fold(aThing('one', 12), true);
    expect(version()).toBeUndefined();
  });

  it('outlive a list that was made before them', () => {
    const { store, version } = aStore([]);
    store.fold(aThing('one', 14), true);
    store.replace([], '12');
    expect(version()).toBe('14');
    store.replace([], '14');
    expect(version()).toBeUndefined();
  });

  it('wait for the first list', () => {
    const store = createReflectorStore<Thing>(silentLogger);
    store.fold(aThing('one', 14), true);
    expect(store.list()).toEqual([]);
  });

  it('that no longer belong into the cache leave it', () => {
    const { store, version } = aStore([aThing('one', 5)]);
    store.fold(aThing('one', 12), false);
    expect(version()).toBeUndefined();
  });
});

describe('our own deletions', () => {
  it('show at once and stay, whatever the watch still has to tell', () => {
    const { store, changes, version } = aStore([aThing('one', 5)]);
    store.foldDeletion(aThing('one', 5));
    store.apply('MODIFIED', aThing('one', 12));
    store.replace([aThing('one', 12)], '12');
    expect(version()).toBeUndefined();
    store.apply('DELETED', aThing('one', 13));
    expect(changes).toEqual([['5', undefined]]);
  });

  it('make room for another object of the same name', () => {
    const { store, version } = aStore([aThing('one', 5)]);
    store.foldDeletion(aThing('one', 5));
    store.fold(aThing('one', 14, { uid: 'another' }), true);
    store.apply('DELETED', aThing('one', 13));
    expect(version()).toBe('14');
  });

  it('spare another object of the same name', () => {
    const { store, version } = aStore([aThing('one', 5)]);
    store.foldDeletion(aThing('one', 4, { uid: 'another' }));
    expect(version()).toBe('5');
  });

  it('are taken back where the object turns out to wait for a finalizer', () => {
    const { store, version } = aStore([aThing('one', 5)]);
    store.foldDeletion(aThing('one', 5));
    store.apply('MODIFIED', aThing('one', 13, { deletionTimestamp: '2026-01-01T00:00:00Z' }));
    expect(version()).toBe('13');
  });
});

it('a list from before the server was restored counts more than what is newer', () => {
  const { store } = aStore([aThing('one', 5), aThing('two', 9)]);
  store.fold(aThing('three', 20), true);
  store.replace([aThing('one', 3)], '4');
  expect(store.list()).toEqual([aThing('one', 3)]);
  expect(store.advance('6')).toBe(true);
  expect(store.advance('5')).toBe(false);
});

/** A write on the server: by us, so that its result reaches the cache by itself, or by somebody else. */
interface Step {
  readonly name: 'one' | 'two' | 'three';
  readonly verb: 'write' | 'delete';
  readonly ours: boolean;
  /** How many steps later our result comes; 0 is at once. */
  readonly late: number;
  /** How many events the watch delivers after it; a relist instead where it is -1. */
  readonly delivered: number;
}

const steps = fc.array(
  fc.record({
    name: fc.constantFrom('one', 'two', 'three'),
    verb: fc.constantFrom('write', 'write', 'write', 'delete'),
    ours: fc.boolean(),
    late: fc.integer({ min: 0, max: 3 }),
    delivered: fc.integer({ min: -1, max: 4 }),
  }),
  { maxLength: 60 },
);

it('whatever the order of our results and of the events, the cache goes forward only and ends like the server', () => {
  fc.assert(
    fc.property(steps, (script: readonly Step[]) => {
      const store = createReflectorStore<Thing>(silentLogger);
      store.replace([], '1');
      const server = new Map<string, Thing>();
      const log: { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: Thing }[] = [];
      const results: { at: number; fold: () => void }[] = [];
      const seen = new Map<string, number>();
      let version = 1;
      let told = 0;
      store.onChange(({ before, after }) => {
        const name = (after ?? before)?.metadata.name ?? '';
        const next = Number(after?.metadata.resourceVersion ?? 0);
        if (after !== undefined) expect(next).toBeGreaterThanOrEqual(seen.get(name) ?? 0);
        seen.set(name, Math.max(next, seen.get(name) ?? 0));
      });
      const deliver = (): void => {
        const event = log[told];
        if (event !== undefined) store.apply(event.type, event.object);
        told = Math.min(told + 1, log.length);
      };
      const cached = (name: string): Thing | undefined => store.get({ namespace: 'a', name });

      for (const [index, { name, verb, ours, late, delivered }] of script.entries()) {
        const before = server.get(name);
        let fold = (): void => {};
        if (verb === 'write') {
          const uid = before?.metadata.uid ?? `uid-${version}`;
          const object = aThing(name, ++version, { uid });
          server.set(name, object);
          log.push({ type: before === undefined ? 'ADDED' : 'MODIFIED', object });
          fold = () => {
            store.fold(object, true);
            if (server.get(name) === object) expect(cached(name)).toBe(object);
          };
        } else if (before !== undefined) {
          server.delete(name);
          const metadata = { ...before.metadata, resourceVersion: String(++version) };
          log.push({ type: 'DELETED', object: { ...before, metadata } });
          const known = cached(name);
          fold = () => {
            if (known !== undefined) store.foldDeletion(known);
            if (known?.metadata.uid === before.metadata.uid) {
              expect(cached(name)?.metadata.uid).not.toBe(before.metadata.uid);
            }
          };
        }
        if (ours) results.push({ at: index + late, fold });
        for (const result of results) if (result.at === index) result.fold();
        if (delivered < 0) {
          store.replace([...server.values()], String(version));
          told = log.length;
        } else for (let count = 0; count < delivered; count++) deliver();
      }
      while (told < log.length) deliver();
      for (const result of results) if (result.at >= script.length) result.fold();

      const byName = (objects: Iterable<Thing>): Map<string | undefined, Thing> =>
        new Map(Array.from(objects, object => [object.metadata.name, object]));
      expect(byName(store.list())).toEqual(byName(server.values()));
    }),
    { numRuns: 1_000 },
  );
});
