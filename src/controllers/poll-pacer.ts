import { keyText, type ObjectKey } from '../api/meta.ts';
import { backoffDelayMs } from '../core/backoff.ts';
import type { Clock } from '../core/clock.ts';

/**
 * Paces the polls for things that another side works on: quick at first, then slower. Where the last ones took a while, as
 * at a server that has much to do, the first poll comes when this one is likely to be over: polls without an answer are
 * work for both sides. Held in memory alone: a restart polls quickly again, and that is all.
 */
export interface PollPacer {
  /** How long to wait before the next poll for this; `askedMs` is what the other side asked for (Retry-After). */
  nextDelayMs(key: ObjectKey, askedMs: number | undefined): number;
  /** How many delays were given for this. */
  count(key: ObjectKey): number;
  /** The other side has done it. How long that took is what the next ones go by. */
  done(key: ObjectKey): void;
  forget(key: ObjectKey): void;
}

/** A server that asks for more is asked again after this all the same: it may have been wrong. */
const longestAskedMs = 15 * 60_000;
/** Less than what the last ones took, so that the estimate falls again when they take less. */
const share = 0.75;

/** A pacer that starts at 50 ms, or after what the last ones took, and doubles up to 5 s. */
export function createPollPacer(clock: Clock, policy = { baseMs: 50, capMs: 5_000 }): PollPacer {
  const polls = new Map<string, { readonly sinceMs: number; readonly baseMs: number; count: number }>();
  /** What the last ones took, each later one counting for an eighth. */
  let typicalMs = 0;

  return {
    nextDelayMs(key, askedMs) {
      const id = keyText(key);
      const firstMs = Math.min(policy.capMs, Math.max(policy.baseMs, Math.round(typicalMs * share)));
      const poll = polls.get(id) ?? { sinceMs: clock.now(), baseMs: firstMs, count: 0 };
      poll.count += 1;
      polls.set(id, poll);
      // After a first wait that was long already, what is left of it is likely to be short.
      const delayMs =
        poll.count === 1
          ? poll.baseMs
          : backoffDelayMs({ ...policy, baseMs: Math.max(policy.baseMs, poll.baseMs / 4) }, poll.count - 1);
      return Math.max(delayMs, Math.min(askedMs ?? 0, longestAskedMs));
    },
    count: key => polls.get(keyText(key))?.count ?? 0,
    done(key) {
      const poll = polls.get(keyText(key));
      const tookMs = poll === undefined ? 0 : Math.max(0, clock.now() - poll.sinceMs);
      typicalMs += (Math.min(tookMs, policy.capMs) - typicalMs) / 8;
    },
    forget(key) {
      polls.delete(keyText(key));
    },
  };
}
