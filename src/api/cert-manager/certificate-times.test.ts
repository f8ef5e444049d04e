import { describe, expect, it } from 'vitest';
import { type RenewalInput, renewalTimeMs } from './certificate-times.ts';

const hour = 3_600_000;
const start = Date.UTC(2026, 0, 1);
/** Renewed this many hours after the start of a certificate of 90 hours. */
const renewedAfter = (input: Partial<RenewalInput>): number =>
  (renewalTimeMs({ notBeforeMs: start, notAfterMs: start + 90 * hour, ...input }) - start) / hour;

describe('when a certificate is renewed', () => {
  it.each<[string, Partial<RenewalInput>, number]>([
    ['with a third of its lifetime left, where nothing is said', {}, 60],
    ['renewBefore before its end', { renewBefore: '10h' }, 80],
    ['with the percentage of its lifetime left', { renewBeforePercentage: 10 }, 81],
    ['by renewBefore where both are there', { renewBefore: '10h', renewBeforePercentage: 50 }, 80],
    ['by the rule of a third where renewBefore is the whole lifetime', { renewBefore: '90h' }, 60],
    [
      'by the percentage where renewBefore is longer than the lifetime',
      { renewBefore: '91h', renewBeforePercentage: 10 },
      81,
    ],
    ['by the rule of a third where renewBefore is nothing', { renewBefore: '0' }, 60],
    ['by the rule of a third where renewBefore is no duration', { renewBefore: 'soon' }, 60],
    ['by the rule of a third where the percentage is none', { renewBeforePercentage: 100 }, 60],
  ])('%s', (_name, input, hours) => {
    expect(renewedAfter(input)).toBe(hours);
  });

  it('goes by the real lifetime, to the second', () => {
    expect(renewalTimeMs({ notBeforeMs: 0, notAfterMs: 100_000 })).toBe(66_000);
  });
});
