import { backoffDelayMs } from '../core/backoff.ts';

/**
 * Paces the polls for things that another side works on: quick at first, then slower. Held in memory
 * alone: a restart polls quickly again, and that is all.
 */
export interface PollPacer {
  /** How long to wait before the next poll for this; `askedMs` is what the other side asked for (Retry-After). */
  nextDelayMs(id: string, askedMs: number | undefined): number;
  /** How many delays were given for this. */
  count(id: string): number;
  forget(id: string): void;
}

/** A pacer that starts at 50 ms and doubles up to 5 s. */
export function createPollPacer(policy = { baseMs: 50, capMs: 5_000 }): PollPacer {
  const polls = new Map<string, number>();
  return {
    nextDelayMs(id, askedMs) {
      const count = (polls.get(id) ?? 0) + 1;
      polls.set(id, count);
      return Math.max(backoffDelayMs(policy, count), askedMs ?? 0);
    },
    count: id => polls.get(id) ?? 0,
    forget(id) {
      polls.delete(id);
    },
  };
}
