import type { Challenge } from '../api/acme/challenge.ts';
import { keyOf, keyText, type ObjectKey } from '../api/meta.ts';
import type { Clock } from '../core/clock.ts';
import { progressGraceMs } from './patience.ts';

/**
 * Challenges whose name the ACME server has verified. Their Orders are told of it directly: as a rule the Challenge is
 * deleted in the next moment, and a status would have been written for nobody. In memory alone: after a restart the server
 * is asked again, and says the same.
 */
export interface Proofs {
  /** The server has verified the name. The listeners are told, once. */
  add(challenge: Challenge): void;
  has(challenge: Challenge): boolean;
  /** How long the Challenge may go on without a status that says so, in milliseconds. Other names of the Order may take long. */
  leftMs(challenge: Challenge): number;
  /** The Challenge is gone. */
  forget(key: ObjectKey): void;
  /** Calls `listener` with each Challenge that is proved. */
  onProof(listener: (challenge: Challenge) => void): void;
}

export function createProofs(clock: Clock): Proofs {
  const proved = new Map<string, { readonly uid: string | undefined; readonly sinceMs: number }>();
  const listeners: ((challenge: Challenge) => void)[] = [];
  const find = (challenge: Challenge): { readonly sinceMs: number } | undefined => {
    const found = proved.get(keyText(keyOf(challenge)));
    return found?.uid === challenge.metadata.uid ? found : undefined;
  };
  return {
    add(challenge) {
      if (find(challenge) !== undefined) return;
      proved.set(keyText(keyOf(challenge)), { uid: challenge.metadata.uid, sinceMs: clock.now() });
      for (const listener of listeners) listener(challenge);
    },
    has: challenge => find(challenge) !== undefined,
    leftMs(challenge) {
      const found = find(challenge);
      if (found === undefined) return 0;
      const sinceMs = clock.now() - found.sinceMs;
      // Proved in the future: before the clock was set back.
      return sinceMs < 0 ? 0 : Math.max(0, progressGraceMs - sinceMs);
    },
    forget: key => void proved.delete(keyText(key)),
    onProof: listener => void listeners.push(listener),
  };
}
