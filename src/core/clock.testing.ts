import type { Clock } from './clock.ts';

/** A clock that stands still until a test moves it; timers fire in their order as it passes them. */
export interface ManualClock extends Clock {
  /** Moves time by `ms` and runs what falls due. */
  advance(ms: number): void;
  /** Sets the time without running timers, as a clock that was set forward or back. */
  set(epochMs: number): void;
}

/** A `ManualClock` that starts at `startMs`. */
export function manualClock(startMs = Date.UTC(2026, 0, 1)): ManualClock {
  let now = startMs;
  // Timers run by the time that passes, whatever the clock is set to.
  let elapsed = 0;
  const timers = new Set<{ at: number; callback: () => void }>();
  return {
    now: () => now,
    after(delayMs, callback) {
      const timer = { at: elapsed + delayMs, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(ms) {
      const end = elapsed + ms;
      for (;;) {
        const due = [...timers].filter(timer => timer.at <= end).toSorted((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        timers.delete(due);
        const stepMs = Math.max(0, due.at - elapsed);
        elapsed += stepMs;
        now += stepMs;
        due.callback();
      }
      now += end - elapsed;
      elapsed = end;
    },
    set(epochMs) {
      now = epochMs;
    },
  };
}
