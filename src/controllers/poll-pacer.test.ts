import { expect, it } from 'vitest';
import { manualClock } from '../core/clock.testing.ts';
import { createPollPacer } from './poll-pacer.ts';

const key = { namespace: 'shop', name: 'site' };

it('polls quickly at first, then every five seconds', () => {
  const pacer = createPollPacer(manualClock());
  const delays = Array.from({ length: 10 }, () => pacer.nextDelayMs(key, undefined));
  expect(delays).toEqual([50, 50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  expect(pacer.count(key)).toBe(10);
  pacer.forget(key);
  expect(pacer.count(key)).toBe(0);
  expect(pacer.nextDelayMs(key, undefined)).toBe(50);
});

it('waits as long as the other side asks, within reason', () => {
  const pacer = createPollPacer(manualClock());
  expect(pacer.nextDelayMs(key, 3_000)).toBe(3_000);
  expect(pacer.nextDelayMs(key, 7 * 24 * 3_600_000)).toBe(15 * 60_000);
});

it('first polls when the others were over, and quickly again as soon as they are', () => {
  const clock = manualClock();
  const pacer = createPollPacer(clock);
  const once = (tookMs: number): number => {
    const delayMs = pacer.nextDelayMs(key, undefined);
    clock.advance(Math.max(delayMs, tookMs));
    pacer.done(key);
    pacer.forget(key);
    return delayMs;
  };
  for (let i = 0; i < 40; i++) once(2_000);
  expect(once(2_000)).toBeGreaterThan(1_400);
  for (let i = 0; i < 200; i++) once(10);
  expect(once(10)).toBe(50);
});

it('never waits for longer than five seconds at first, however long the others took', () => {
  const clock = manualClock();
  const pacer = createPollPacer(clock);
  for (let i = 0; i < 40; i++) {
    pacer.nextDelayMs(key, undefined);
    clock.advance(3_600_000);
    pacer.done(key);
    pacer.forget(key);
  }
  expect(pacer.nextDelayMs(key, undefined)).toBeLessThanOrEqual(5_000);
});
