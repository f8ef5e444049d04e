import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { TurnQueue } from './turn-queue.ts';

/** Asks for ten pieces of work at once, and gives those that each turn has done. */
async function tenOn(queue: TurnQueue): Promise<readonly (readonly number[])[]> {
  const done: number[] = [];
  for (let piece = 0; piece < 10; piece += 1) queue.run(() => done.push(piece));
  const turns: number[][] = [];
  while (turns.length < 4) {
    turns.push(done.splice(0));
    await turn();
  }
  return turns;
}

describe('a queue of turns', () => {
  it('does so many pieces of work in each turn, in the order in which they came', async () => {
    expect(await tenOn(new TurnQueue(4, 'oldest'))).toEqual([[0, 1, 2, 3], [4, 5, 6, 7], [8, 9], []]);
  });

  it('or those that came last before the others', async () => {
    expect(await tenOn(new TurnQueue(4, 'newest'))).toEqual([[0, 1, 2, 3], [9, 8, 7, 6], [5, 4], []]);
  });

  it('has room again in each turn', async () => {
    const queue = new TurnQueue(2, 'oldest');
    for (let round = 0; round < 3; round += 1) {
      expect([queue.take(), queue.take(), queue.take()]).toEqual([true, true, false]);
      await turn();
    }
  });

  it.each([
    ['oldest', false],
    ['newest', true],
  ] as const)('where the %s go first, who comes while others wait gets room: %s', async (first, passes) => {
    const queue = new TurnQueue(2, first);
    queue.wait(() => {});
    expect(queue.take()).toBe(passes);
    await turn();
  });

  it('does in a turn to come what is asked for by what it does', async () => {
    const queue = new TurnQueue(2, 'oldest');
    const done: string[] = [];
    queue.wait(() => {
      done.push('first');
      queue.wait(() => done.push('second'));
    });
    await turn();
    expect(done).toEqual(['first']);
    await turn();
    expect(done).toEqual(['first', 'second']);
  });
});
