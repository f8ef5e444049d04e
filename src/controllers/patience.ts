import { keyText, type ObjectKey } from '../api/meta.ts';
import type { Clock } from '../core/clock.ts';

/**
 * How long a wait may last before it is worth a write to a status. Most issuances are over before, so that nobody
 * would have read it; what lasts longer is said, with its reason.
 */
const graceMs = 2_500;

/**
 * The same where all goes its way and nobody has to do anything. In a burst of a thousand certificates each waits for the
 * others; a write for each that says so would make them wait longer.
 */
export const progressGraceMs = 60_000;

/** How a wait is told. */
export interface WaitOptions {
  /** Tells one wait from another where the words change from time to time. */
  readonly what?: string;
  /** It is known that this takes a while: it is told at once. */
  readonly isLong?: boolean;
  /** Of this wait, in milliseconds. */
  readonly graceMs?: number;
}

/** Since when objects have been waiting, and for what. In memory alone: after a restart each wait begins anew. */
export interface Patience {
  /** How much of the grace is left, in milliseconds, for an object that waits for `what`; 0 when it is over. */
  leftMs(key: ObjectKey, what: string, graceMs?: number): number;
  /** The object waits no more. */
  forget(key: ObjectKey): void;
}

export function createPatience(clock: Clock): Patience {
  const waits = new Map<string, { readonly what: string; readonly sinceMs: number }>();
  return {
    leftMs(key, what, mostMs = graceMs) {
      const id = keyText(key);
      const wait = waits.get(id);
      if (wait?.what === what) {
        const waitedMs = clock.now() - wait.sinceMs;
        // A wait that began in the future began before the clock was set back: long enough ago to be told.
        return waitedMs < 0 ? 0 : Math.max(0, mostMs - waitedMs);
      }
      waits.set(id, { what, sinceMs: clock.now() });
      return mostMs;
    },
    forget(key) {
      waits.delete(keyText(key));
    },
  };
}
