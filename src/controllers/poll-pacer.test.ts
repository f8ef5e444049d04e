import { expect, it } from 'vitest';
import { createPollPacer } from './poll-pacer.ts';

const key = { namespace: 'shop', name: 'site' };

it('polls quickly at first, then every five seconds', () => {
  const pacer = createPollPacer();
  const delays = Array.from({ length: 9 }, () => pacer.nextDelayMs(key, undefined));
  expect(delays).toEqual([50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  expect(pacer.count(key)).toBe(9);
  pacer.forget(key);
  expect(pacer.count(key)).toBe(0);
  expect(pacer.nextDelayMs(key, undefined)).toBe(50);
});

it('waits as long as the other side asks, within reason', () => {
  const pacer = createPollPacer();
  expect(pacer.nextDelayMs(key, 3_000)).toBe(3_000);
  expect(pacer.nextDelayMs(key, 7 * 24 * 3_600_000)).toBe(15 * 60_000);
});
