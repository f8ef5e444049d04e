import { expect, it } from 'vitest';
import { mostUnanswered, Pulse } from './pulse.ts';

function silence(pulse: Pulse): number {
  let asked = 0;
  while (pulse.ask()) asked += 1;
  return asked;
}

it('a worker hangs that leaves too many questions unanswered, one after the other', () => {
  const pulse = new Pulse();
  pulse.answered();
  for (let asked = 0; asked < 100; asked += 1) {
    expect(pulse.ask()).toBe(true);
    if (asked % mostUnanswered === mostUnanswered - 1) pulse.answered();
  }
  pulse.answered();
  expect(silence(pulse)).toBe(mostUnanswered);
});

it('one that has never answered is given longer', () => {
  expect(silence(new Pulse())).toBeGreaterThan(3 * mostUnanswered);
});
