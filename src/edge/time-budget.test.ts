import { expect, it } from 'vitest';
import { manualClock } from '../core/clock.testing.ts';
import { TimeBudget } from './time-budget.ts';

function aBudget() {
  const clock = manualClock();
  return { clock, budget: new TimeBudget(clock, { share: 0.1, mostMs: 100, longestWaitMs: 500 }) };
}

it('lets work be done at once until all is spent, then for its share of the time', () => {
  const { clock, budget } = aBudget();
  for (let done = 0; done < 10; done += 1) {
    expect(budget.waitMs()).toBe(0);
    budget.spend(10);
  }
  expect(budget.waitMs()).toBe(0);
  budget.spend(5);
  expect(budget.waitMs()).toBeCloseTo(50);
  clock.advance(20);
  expect(budget.waitMs()).toBeCloseTo(30);
  clock.advance(30);
  expect(budget.waitMs()).toBeCloseTo(0);
});

it('saves no more than it may', () => {
  const { clock, budget } = aBudget();
  clock.advance(1_000_000);
  budget.spend(110);
  expect(budget.waitMs()).toBeCloseTo(100);
});

it('lets nobody wait longer than it may', () => {
  const { budget } = aBudget();
  for (let done = 0; done < 10; done += 1) budget.spend(1_000);
  expect(budget.waitMs()).toBeCloseTo(500);
});

it('waits no longer for a clock that was set back', () => {
  const { clock, budget } = aBudget();
  budget.spend(105);
  clock.set(clock.now() - 3_600_000);
  expect(budget.waitMs()).toBeCloseTo(50);
});
