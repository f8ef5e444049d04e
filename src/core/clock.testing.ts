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
  let setToMs = startMs;
  // Timers run by the time that passes, whatever the clock is set to.
  let elapsedMs = 0;
  const timers = new Set<{ at: number; callback: () => void }>();
  return {
    now: () => Math.floor(setToMs + elapsedMs),
    after(delayMs, callback) {
      const timer = { at: elapsedMs + delayMs, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(ms) {
      const end = elapsedMs + ms;
      for (;;) {
        const due = [...timers].filter(timer => timer.at <= end).toSorted((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        timers.delete(due);
        elapsedMs = Math.max(elapsedMs, due.at);
        due.callback();
      }
      elapsedMs = end;
    },
    set(epochMs) {
      setToMs = epochMs - elapsedMs;
    },
  };
}
