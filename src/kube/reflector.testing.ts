import type { Clock } from '../core/clock.ts';

/** A clock whose waits are over at once, but those that are longer than a minute; it notes what was waited for. */
export interface HurriedClock extends Clock {
  /** The waits of up to a minute, in milliseconds, in their order. */
  readonly waits: readonly number[];
}

/** Time stands still while nobody waits, and jumps ahead by each wait. */
export function hurriedClock(startMs = Date.UTC(2026, 0, 1)): HurriedClock {
  let now = startMs;
  const waits: number[] = [];
  return {
    waits,
    now: () => now,
    after(delayMs, callback) {
      if (delayMs > 60_000) return () => {};
      waits.push(delayMs);
      const timer = setImmediate(() => {
        now += delayMs;
        callback();
      });
      return () => clearImmediate(timer);
    },
  };
}
