import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from './duration.ts';

describe('durations', () => {
  it.each([
    ['2160h', 2160 * 3_600_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['-5s', -5_000],
    ['0', 0],
    ['100ms', 100],
    ['', undefined],
    ['5', undefined],
    ['1d', undefined],
    ['h', undefined],
  ])('reads %j as Go does', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  it.each([
    [2160 * 3_600_000, '2160h0m0s'],
    [5_400_000, '1h30m0s'],
    [45_000, '45s'],
    [1_500, '1.5s'],
    [250, '250ms'],
    [0, '0s'],
  ])('writes %d ms as Go does', (ms, expected) => {
    expect(formatDuration(ms)).toBe(expected);
  });
});
