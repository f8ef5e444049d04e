import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type Timed, TimerWheel } from './timer-wheel.ts';

let nowMs = 1_000;
let wheel = new TimerWheel(10, () => nowMs);
afterEach(() => {
  wheel.close();
  nowMs = 1_000;
  wheel = new TimerWheel(10, () => nowMs);
});

/** Moves time on, step by step or at once, as a busy loop would. */
function advance(ms: number, stepMs = 10): void {
  for (const end = nowMs + ms; nowMs < end; ) {
    nowMs += Math.min(stepMs, end - nowMs);
    wheel.advance();
  }
}

function aTimed(onDeadline: (self: Timed) => void): Timed {
  const timed: Timed = {
    deadlineMs: Infinity,
    slot: -1,
    next: undefined,
    previous: undefined,
    onDeadline: () => onDeadline(timed),
  };
  return timed;
}

describe('a deadline', () => {
  it.each([1, 10, 95, 100, 5_119, 5_120, 5_121, 60_000])(
    'of %i ms is not early and at most two ticks late',
    delayMs => {
      const firedMs: number[] = [];
      wheel.set(
        aTimed(() => firedMs.push(nowMs)),
        delayMs,
      );
      advance(delayMs + 40, 5);
      expect(firedMs).toHaveLength(1);
      expect((firedMs[0] ?? 0) - 1_000).toBeGreaterThanOrEqual(delayMs);
      expect((firedMs[0] ?? 0) - 1_000).toBeLessThanOrEqual(delayMs + 25);
    },
  );

  it('that moves on fires once, at its last place', () => {
    const firedMs: number[] = [];
    const timed = aTimed(() => firedMs.push(nowMs));
    for (let round = 0; round < 50; round += 1) {
      wheel.set(timed, 100);
      advance(50);
    }
    expect(firedMs).toEqual([]);
    advance(100);
    expect(firedMs).toHaveLength(1);
  });

  it('that moves nearer is kept too', () => {
    const fired: string[] = [];
    const timed = aTimed(() => fired.push('x'));
    wheel.set(timed, 3_000);
    wheel.set(timed, 50);
    advance(80);
    expect(fired).toEqual(['x']);
    advance(5_000);
    expect(fired).toEqual(['x']);
  });

  it('that is taken away does not fire', () => {
    const fired: string[] = [];
    const [one, two] = [aTimed(() => fired.push('one')), aTimed(() => fired.push('two'))];
    for (const timed of [one, two]) wheel.set(timed, 50);
    wheel.set(one, Infinity);
    wheel.remove(two);
    advance(10_000);
    expect(fired).toEqual([]);
  });

  it('may take others away and set them and itself again while it fires', () => {
    const fired: string[] = [];
    const all: Timed[] = [0, 1, 2, 3].map(index =>
      aTimed(self => {
        fired.push(String(index));
        for (const other of all) if (other !== self) wheel.remove(other);
        if (fired.length < 3) wheel.set(self, 20);
      }),
    );
    for (const timed of all) wheel.set(timed, 50);
    advance(1_000);
    expect(fired).toHaveLength(3);
    expect(new Set(fired).size).toBe(1);
  });

  it('that a thousand share is told in several turns of the event loop, but not where it was taken away meanwhile', async () => {
    let fired = 0;
    const all = Array.from({ length: 1_000 }, () => aTimed(() => (fired += 1)));
    for (const timed of all) wheel.set(timed, 50);
    advance(80);
    expect(fired).toBeLessThan(100);
    for (const timed of all.slice(0, 500)) wheel.remove(timed);
    for (let turns = 0; turns < 50; turns += 1) await turn();
    expect(fired).toBe(500);
  });

  it('is kept after a sleep longer than the wheel', () => {
    const fired: string[] = [];
    wheel.set(
      aTimed(() => fired.push('short')),
      100,
    );
    wheel.set(
      aTimed(() => fired.push('long')),
      20_000,
    );
    advance(19_000, 19_000);
    expect(fired).toEqual(['short']);
    advance(2_000);
    expect(fired).toEqual(['short', 'long']);
  });
});
