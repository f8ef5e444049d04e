import { keyText, type ObjectKey } from '../api/meta.ts';
import { backoffDelayMs } from '../core/backoff.ts';

/**
 * Paces the polls for things that another side works on: quick at first, then slower. Held in memory
 * alone: a restart polls quickly again, and that is all.
 */
export interface PollPacer {
  /** How long to wait before the next poll for this; `askedMs` is what the other side asked for (Retry-After). */
  nextDelayMs(key: ObjectKey, askedMs: number | undefined): number;
  /** How many delays were given for this. */
  count(key: ObjectKey): number;
  forget(key: ObjectKey): void;
}

/** A server that asks for more is asked again after this all the same: it may have been wrong. */
const longestAskedMs = 15 * 60_000;

/** A pacer that starts at 50 ms and doubles up to 5 s. */
export function createPollPacer(policy = { baseMs: 50, capMs: 5_000 }): PollPacer {
  const polls = new Map<string, number>();
  return {
    nextDelayMs(key, askedMs) {
      const count = (polls.get(keyText(key)) ?? 0) + 1;
      polls.set(keyText(key), count);
      return Math.max(backoffDelayMs(policy, count), Math.min(askedMs ?? 0, longestAskedMs));
    },
    count: key => polls.get(keyText(key)) ?? 0,
    forget(key) {
      polls.delete(keyText(key));
    },
  };
}
