import { expect, it } from 'vitest';
import type { KubeObject } from '../api/meta.ts';
import type { Resource } from '../api/resource.ts';
import { type ManualClock, manualClock } from '../core/clock.testing.ts';
import { silentLogger } from '../core/logger.ts';
import type { Cache } from './cache.ts';
import { createLateCache } from './late-cache.ts';
import { createReflectorStore } from './reflector-store.ts';

const things: Resource<KubeObject> = {
  group: 'example.com',
  version: 'v1',
  kind: 'Thing',
  plural: 'things',
  namespaced: true,
  hasStatus: false,
};
const one: KubeObject = {
  apiVersion: 'example.com/v1',
  kind: 'Thing',
  metadata: { namespace: 'a', name: 'one', uid: 'uid-one', resourceVersion: '1' },
};

/** Time passes, and what was asked in it is answered. */
async function passes(clock: ManualClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 10_000) {
    clock.advance(Math.min(left, 10_000));
    await new Promise(resolve => setImmediate(resolve));
  }
}

function aWorld(served: boolean) {
  const store = createReflectorStore<KubeObject>(silentLogger);
  const clock = manualClock();
  const world = { served, asked: 0, fails: false };
  const parts = {
    api: {
      async serves(): Promise<boolean> {
        world.asked += 1;
        if (world.fails) throw new Error('the API server is away');
        return world.served;
      },
    },
    // The type of the objects is that of the resource.
    caches: { cacheOf: <T extends KubeObject>(): Cache<T> => store as unknown as Cache<T> },
    clock,
    logger: silentLogger,
  };
  return { world, store, clock, parts };
}

it('a kind that is there is followed as any other', async () => {
  const { store, clock, parts, world } = aWorld(true);
  const cache = await createLateCache(things, parts);
  store.replace([one], '1');
  await cache.synced;
  expect(cache.list()).toEqual([one]);
  await passes(clock, 60_000);
  expect(world.asked).toBe(1);
});

it('a kind that comes later is empty until then, and is noticed within ten seconds', async () => {
  const { store, clock, parts, world } = aWorld(false);
  store.replace([one], '1');
  const cache = await createLateCache(things, parts);
  await cache.synced;
  const seen: (string | undefined)[] = [];
  cache.onChange(({ after }) => seen.push(after?.metadata.name));
  expect(cache.list()).toEqual([]);
  world.fails = true;
  await passes(clock, 10_000);
  world.fails = false;
  await passes(clock, 10_000);
  expect([cache.list(), seen]).toEqual([[], []]);
  world.served = true;
  await passes(clock, 10_000);
  expect(cache.list()).toEqual([one]);
  expect(seen).toEqual(['one']);
  const { asked } = world;
  await passes(clock, 60_000);
  expect(world.asked).toBe(asked);
});

it('nothing is asked once it is stopped, nor told to who has left', async () => {
  const { store, clock, parts, world } = aWorld(false);
  const cache = await createLateCache(things, parts);
  let told = 0;
  cache.onChange(() => (told += 1))();
  world.served = true;
  await passes(clock, 10_000);
  store.replace([one], '1');
  expect(told).toBe(0);
  const other = aWorld(false);
  const stopped = await createLateCache(things, other.parts);
  stopped.stop();
  await passes(other.clock, 60_000);
  expect(other.world.asked).toBe(1);
});
