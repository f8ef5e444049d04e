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
  const timers = new Set<{ at: number; callback: () => void }>();
  return {
    now: () => now,
    after(delayMs, callback) {
      const timer = { at: now + delayMs, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const due = [...timers].filter(timer => timer.at <= end).toSorted((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        timers.delete(due);
        now = Math.max(now, due.at);
        due.callback();
      }
      now = end;
    },
    set(epochMs) {
      now = epochMs;
    },
  };
}
