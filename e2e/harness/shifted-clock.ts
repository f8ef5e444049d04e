import type { Clock } from '../../src/core/clock.ts';

interface Timer {
  dueAt: number;
  readonly callback: () => void;
  handle: NodeJS.Timeout;
}

/** A clock that runs like the machine's, beside it. */
export interface ShiftedClock extends Clock {
  /** Someone sets the clock: forward, or with a negative number back. Timers are not touched, as on any machine. */
  set(byMs: number): void;
  /** Time passes in an instant, for the clock and for the timers. */
  pass(ms: number): void;
}

export function createShiftedClock(): ShiftedClock {
  const timers = new Set<Timer>();
  let shiftMs = 0;
  let passedMs = 0;
  const elapsed = () => performance.now() + passedMs;
  const arm = (timer: Timer): void => {
    timer.handle = setTimeout(
      () => {
        if (timer.dueAt > elapsed()) {
          arm(timer);
          return;
        }
        timers.delete(timer);
        timer.callback();
      },
      Math.min(Math.max(0, timer.dueAt - elapsed()), 2 ** 31 - 1),
    );
    timer.handle.unref();
  };
  return {
    now: () => Date.now() + shiftMs,
    after(delayMs, callback) {
      const timer = { dueAt: elapsed() + delayMs, callback } as Timer;
      timers.add(timer);
      arm(timer);
      return () => {
        timers.delete(timer);
        clearTimeout(timer.handle);
      };
    },
    set(byMs) {
      shiftMs += byMs;
    },
    pass(ms) {
      shiftMs += ms;
      passedMs += ms;
      for (const timer of timers) {
        clearTimeout(timer.handle);
        arm(timer);
      }
    },
  };
}
