import { expect, it } from 'vitest';
import { manualClock } from '../core/clock.testing.ts';
import { createPatience } from './patience.ts';

const key = { namespace: 'shop', name: 'site' };

it('a wait is worth saying after two and a half seconds of the same', () => {
  const clock = manualClock();
  const patience = createPatience(clock);
  expect(patience.leftMs(key, 'an issuer')).toBe(2_500);
  clock.advance(1_000);
  expect(patience.leftMs(key, 'an issuer')).toBe(1_500);
  expect(patience.leftMs({ ...key, name: 'other' }, 'an issuer')).toBe(2_500);
  clock.advance(2_000);
  expect(patience.leftMs(key, 'an issuer')).toBe(0);
  expect(patience.leftMs(key, 'an order')).toBe(2_500);
});

it('what is forgotten waits anew', () => {
  const clock = manualClock();
  const patience = createPatience(clock);
  patience.leftMs(key, 'a turn', 30_000);
  clock.advance(10_000);
  expect(patience.leftMs(key, 'a turn', 30_000)).toBe(20_000);
  patience.forget(key);
  expect(patience.leftMs(key, 'a turn', 30_000)).toBe(30_000);
});

it('a clock that was set back does not make a wait longer', () => {
  const clock = manualClock();
  const patience = createPatience(clock);
  patience.leftMs(key, 'a turn');
  clock.set(clock.now() - 3_600_000);
  expect(patience.leftMs(key, 'a turn')).toBe(0);
});
