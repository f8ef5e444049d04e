import { expect, it } from 'vitest';
import { manualClock } from '../../core/clock.testing.ts';
import { RestartDelay } from './restart-delay.ts';

it('a worker is started again at once, and later the more often it ends young', () => {
  const clock = manualClock();
  const delay = new RestartDelay(clock);
  const livesFor = (ms: number): number => {
    delay.started();
    clock.advance(ms);
    return delay.next();
  };
  expect([1, 1, 1, 1, 1].map(livesFor)).toEqual([0, 100, 200, 400, 800]);
  expect(Array.from({ length: 20 }, () => livesFor(1)).at(-1)).toBe(30_000);
  expect(livesFor(60_000)).toBe(0);
  expect(livesFor(1)).toBe(0);
});
