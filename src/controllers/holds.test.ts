import { expect, it } from 'vitest';
import { manualClock } from '../core/clock.testing.ts';
import { createHolds } from './holds.ts';

const key = { namespace: 'default', name: 'a' };

it('an object waits as long as it was asked to, and others do not', () => {
  const clock = manualClock();
  const holds = createHolds(clock);
  expect(holds.leftMs(key)).toBe(0);
  holds.hold(key, 3_000);
  clock.advance(1_000);
  expect(holds.leftMs(key)).toBe(2_000);
  expect(holds.leftMs({ ...key, name: 'b' })).toBe(0);
  clock.advance(2_000);
  expect(holds.leftMs(key)).toBe(0);
});

it('the last that was asked for counts', () => {
  const clock = manualClock();
  const holds = createHolds(clock);
  holds.hold(key, 3_000);
  holds.hold(key, 10_000);
  clock.advance(3_000);
  expect(holds.leftMs(key)).toBe(7_000);
  holds.forget(key);
  expect(holds.leftMs(key)).toBe(0);
});

it('a clock that is set back makes no wait longer', () => {
  const clock = manualClock();
  const holds = createHolds(clock);
  holds.hold(key, 3_000);
  clock.set(clock.now() - 24 * 3_600_000);
  expect(holds.leftMs(key)).toBe(3_000);
  clock.advance(3_000);
  expect(holds.leftMs(key)).toBe(0);
});
