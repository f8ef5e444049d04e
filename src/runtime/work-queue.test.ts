import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../core/clock.testing.ts';
import { createWorkQueue, type WorkQueue } from './work-queue.ts';

function aQueue(clock = manualClock()): WorkQueue<string> {
  return createWorkQueue<string>({ clock, idOf: key => key, random: () => 1 });
}

/** What can be had without waiting. */
async function takeAll(queue: WorkQueue<string>): Promise<string[]> {
  const keys: string[] = [];
  while (queue.depth > 0) keys.push((await queue.take()) ?? 'nothing');
  return keys;
}

describe('work queue', () => {
  it('hands keys out in the order in which they were added, once each', async () => {
    const queue = aQueue();
    for (const key of ['b', 'a', 'b', 'c', 'a']) queue.add(key);
    expect(await takeAll(queue)).toEqual(['b', 'a', 'c']);
  });

  it('a key in work comes again after it was given back, once, however often it was added', async () => {
    const queue = aQueue();
    queue.add('a');
    await queue.take();
    queue.add('a');
    queue.add('a');
    expect(queue.depth).toBe(0);
    queue.done('a');
    expect(await takeAll(queue)).toEqual(['a']);
    queue.done('a');
    expect(queue.depth).toBe(0);
  });

  it('a key that comes again stands behind those that were there before', async () => {
    const queue = aQueue();
    queue.add('a');
    await queue.take();
    queue.add('a');
    queue.add('b');
    queue.done('a');
    expect(await takeAll(queue)).toEqual(['b', 'a']);
  });

  it('what is added as first comes before the others, in its own order, also where it was there already', async () => {
    const queue = aQueue();
    for (const key of ['a', 'b', 'c']) queue.add(key);
    queue.add('d', true);
    queue.add('c', true);
    queue.add('d');
    queue.add('c', true);
    expect(queue.depth).toBe(4);
    expect(await takeAll(queue)).toEqual(['d', 'c', 'a', 'b']);
    queue.add('e');
    queue.add('a');
    queue.add('a', true);
    queue.done('a');
    expect(await takeAll(queue)).toEqual(['a', 'e']);
  });

  it('a worker that waits gets the key at once', async () => {
    const queue = aQueue();
    const first = queue.take();
    const second = queue.take();
    queue.add('a');
    queue.add('b');
    expect(await Promise.all([first, second])).toEqual(['a', 'b']);
  });

  it('a worker that waits gives up when its signal aborts, and loses no key', async () => {
    const queue = aQueue();
    const stop = new AbortController();
    const waiting = queue.take(stop.signal);
    stop.abort();
    expect(await waiting).toBeUndefined();
    queue.add('a');
    expect(await takeAll(queue)).toEqual(['a']);
    expect(await queue.take(stop.signal)).toBeUndefined();
  });

  it('the earliest timer of a key wins', async () => {
    const clock = manualClock();
    const queue = aQueue(clock);
    queue.addAfter('a', 1_000);
    queue.addAfter('a', 500);
    queue.addAfter('a', 2_000);
    clock.advance(499);
    expect(queue.depth).toBe(0);
    clock.advance(1);
    expect(await takeAll(queue)).toEqual(['a']);
    queue.done('a');
    clock.advance(10_000);
    expect(queue.depth).toBe(0);
  });

  it.each([
    ['forward', 86_400_000],
    ['back', -86_400_000],
  ])('the earliest timer wins although the clock is set %s', async (_how, byMs) => {
    for (const [first, second] of [
      [3_600_000, 50],
      [50, 3_600_000],
    ] as const) {
      const clock = manualClock();
      const queue = aQueue(clock);
      queue.addAfter('a', first);
      clock.set(clock.now() + byMs);
      queue.addAfter('a', second);
      clock.advance(50);
      expect(await takeAll(queue)).toEqual(['a']);
      queue.done('a');
      expect(queue.delayed).toBe(0);
      clock.advance(7_200_000);
      expect(queue.depth).toBe(0);
    }
  });

  it('adding a key now cancels its timer', async () => {
    const clock = manualClock();
    const queue = aQueue(clock);
    queue.addAfter('a', 1_000);
    queue.add('a');
    expect(queue.delayed).toBe(0);
    expect(await takeAll(queue)).toEqual(['a']);
    queue.done('a');
    clock.advance(10_000);
    expect(queue.depth).toBe(0);
  });

  it('a timer that falls due while its key is in work is remembered', async () => {
    const clock = manualClock();
    const queue = aQueue(clock);
    queue.add('a');
    await queue.take();
    queue.addAfter('a', 100);
    clock.advance(100);
    expect(queue.depth).toBe(0);
    queue.done('a');
    expect(queue.depth).toBe(1);
  });

  it('backs off by 50 ms, doubled for each failure, up to 5 minutes, until forgotten', () => {
    const clock = manualClock();
    const queue = aQueue(clock);
    const delays = Array.from({ length: 16 }, () => queue.addRateLimited('a'));
    expect(delays.slice(0, 4)).toEqual([50, 100, 200, 400]);
    expect(delays.at(-1)).toBe(300_000);
    expect(queue.failures('a')).toBe(16);
    expect(queue.failures('b')).toBe(0);
    queue.forget('a');
    expect(queue.addRateLimited('a')).toBe(50);
  });

  it('backs off no longer than it is told', () => {
    const queue = aQueue();
    const delays = Array.from({ length: 7 }, () => queue.addRateLimited('a', 1_000));
    expect(delays).toEqual([50, 100, 200, 400, 800, 1_000, 1_000]);
    expect(queue.addRateLimited('a')).toBe(6_400);
  });

  it('spreads the back-off over the upper half of the delay', () => {
    const queue = createWorkQueue<string>({ clock: manualClock(), idOf: key => key, random: () => 0 });
    expect(queue.addRateLimited('a')).toBe(25);
  });

  it('tells its depth and how long keys waited', async () => {
    const clock = manualClock();
    const depths: number[] = [];
    const waits: number[] = [];
    const queue = createWorkQueue<string>({
      clock,
      idOf: key => key,
      observer: {
        depth: keys => depths.push(keys),
        taken: waitedMs => waits.push(waitedMs),
        retried: () => {},
      },
    });
    queue.add('a');
    queue.add('b');
    clock.advance(30);
    await queue.take();
    clock.advance(20);
    await queue.take();
    expect(depths).toEqual([1, 2, 1, 0]);
    expect(waits).toEqual([30, 50]);
  });

  it('after shutdown hands out nothing, takes nothing, and is over when the last key is given back', async () => {
    const clock = manualClock();
    const queue = aQueue(clock);
    queue.add('a');
    queue.add('b');
    await queue.take();
    const waiting = [queue.take(), queue.take()];
    queue.addAfter('c', 10);
    let isOver = false;
    const over = queue.shutDown().then(() => (isOver = true));
    expect(await waiting[1]).toBeUndefined();
    queue.add('d');
    clock.advance(1_000);
    expect(queue.depth).toBe(0);
    queue.done('a');
    await Promise.resolve();
    expect(isOver).toBe(false);
    queue.done('b');
    await over;
    expect(await queue.take()).toBeUndefined();
  });

  it('ten thousand keys pass in order', async () => {
    const queue = aQueue();
    const keys = Array.from({ length: 10_000 }, (_, index) => `namespace/name-${index}`);
    for (const key of keys) queue.add(key);
    expect(await takeAll(queue)).toEqual(keys);
    expect(queue.inWork).toBe(10_000);
  });
});

type Step =
  | { readonly kind: 'add'; readonly key: string; readonly first: boolean }
  | { readonly kind: 'retry' | 'forget'; readonly key: string }
  | { readonly kind: 'after'; readonly key: string; readonly delayMs: number }
  | { readonly kind: 'take' }
  | { readonly kind: 'done'; readonly which: number }
  | { readonly kind: 'pass'; readonly ms: number };

const aKey = fc.constantFrom('a', 'b', 'c', 'd');
const aStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('add'), key: aKey, first: fc.boolean() }),
  fc.record({ kind: fc.constantFrom('retry', 'forget'), key: aKey }),
  fc.record({ kind: fc.constant('after'), key: aKey, delayMs: fc.integer({ min: 0, max: 300 }) }),
  fc.record({ kind: fc.constant('take') }),
  fc.record({ kind: fc.constant('done'), which: fc.nat(3) }),
  fc.record({ kind: fc.constant('pass'), ms: fc.integer({ min: 1, max: 200 }) }),
);

describe('work queue, whatever happens', () => {
  it('never gives a key to two workers, and gives out every key that was added, not before it is due', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(aStep, { maxLength: 60 }), async steps => {
        const clock = manualClock(0);
        const queue = aQueue(clock);
        const inWork = new Set<string>();
        /** For each key that is owed a turn: when it is due. */
        const owed = new Map<string, number>();
        const owe = (key: string, atMs: number): void => {
          owed.set(key, Math.min(owed.get(key) ?? Number.POSITIVE_INFINITY, atMs));
        };
        const give = (key: string): void => {
          inWork.delete(key);
          queue.done(key);
        };
        const take = async (): Promise<void> => {
          const key = await queue.take();
          if (key === undefined) throw new Error('The queue is not shut down.');
          expect(inWork.has(key)).toBe(false);
          expect(owed.get(key)).toBeLessThanOrEqual(clock.now());
          owed.delete(key);
          inWork.add(key);
        };
        for (const step of steps) {
          if (step.kind === 'add') {
            queue.add(step.key, step.first);
            owe(step.key, clock.now());
          } else if (step.kind === 'after') {
            queue.addAfter(step.key, step.delayMs);
            owe(step.key, clock.now() + step.delayMs);
          } else if (step.kind === 'retry') {
            owe(step.key, clock.now() + queue.addRateLimited(step.key));
          } else if (step.kind === 'forget') queue.forget(step.key);
          else if (step.kind === 'pass') clock.advance(step.ms);
          else if (step.kind === 'take') {
            if (queue.depth > 0) await take();
          } else if (step.kind === 'done') {
            const key = [...inWork][step.which];
            if (key !== undefined) give(key);
          }
          const due = [...owed].filter(([key, atMs]) => atMs <= clock.now() && !inWork.has(key));
          expect(queue.depth).toBe(due.length);
          expect(queue.inWork).toBe(inWork.size);
        }
        for (const key of inWork) give(key);
        clock.advance(600_000);
        for (let left = owed.size; left > 0; left -= 1) await take();
        expect(owed.size).toBe(0);
        expect(queue.depth).toBe(0);
        expect(queue.delayed).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});
