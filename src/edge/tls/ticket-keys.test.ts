import { expect, it } from 'vitest';
import { manualClock } from '../../core/clock.testing.ts';
import { TicketKeys } from './ticket-keys.ts';

it('keys of session tickets are made anew every six hours', () => {
  const clock = manualClock();
  const seen: Buffer[] = [];
  const keys = new TicketKeys(clock, next => seen.push(next));
  expect(keys.current).toHaveLength(48);
  clock.advance(6 * 3_600_000);
  clock.advance(6 * 3_600_000);
  expect(seen).toHaveLength(2);
  expect(keys.current).toBe(seen[1]);
  expect(seen[0]?.equals(keys.current)).toBe(false);
  keys.stop();
  clock.advance(24 * 3_600_000);
  expect(seen).toHaveLength(2);
});
