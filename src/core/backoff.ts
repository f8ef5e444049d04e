/** Exponential back-off: `baseMs` doubled for each earlier failure, at most `capMs`. */
export interface BackoffPolicy {
  readonly baseMs: number;
  readonly capMs: number;
}

/** The delay before attempt number `failures + 1`, in milliseconds, without jitter. `failures` counts from 1. */
export function backoffDelayMs(policy: BackoffPolicy, failures: number): number {
  return Math.min(policy.capMs, policy.baseMs * 2 ** Math.min(Math.max(0, failures - 1), 52));
}

/** `delayMs` spread evenly over [delay/2, delay], so that many waiters do not come back in one instant. */
export function jittered(delayMs: number, random: () => number = Math.random): number {
  return Math.round(delayMs / 2 + (delayMs / 2) * random());
}
