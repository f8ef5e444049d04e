import { keyText, type ObjectKey } from '../api/meta.ts';
import type { Clock } from '../core/clock.ts';

/**
 * Objects whose server has asked to be left alone for a while (Retry-After). A change of the object, its own status among
 * them, brings it back to its reconciler early, which asks here first. In memory alone: a restart asks once more.
 */
export interface Holds {
  /** How long the object is still to wait, in milliseconds; 0 where it need not. */
  leftMs(key: ObjectKey): number;
  hold(key: ObjectKey, ms: number): void;
  forget(key: ObjectKey): void;
}

interface Hold {
  readonly ms: number;
  readonly untilMs: number;
  readonly cancel: () => void;
}

export function createHolds(clock: Clock): Holds {
  const holds = new Map<string, Hold>();
  const forget = (key: ObjectKey): void => {
    const id = keyText(key);
    holds.get(id)?.cancel();
    holds.delete(id);
  };
  return {
    leftMs(key) {
      const hold = holds.get(keyText(key));
      // Never more than the whole of it, although somebody sets the clock back.
      return hold === undefined ? 0 : Math.min(hold.ms, Math.max(0, hold.untilMs - clock.now()));
    },
    hold(key, ms) {
      forget(key);
      // The timer ends it in time although somebody sets the clock back.
      const cancel = clock.after(ms, () => forget(key));
      holds.set(keyText(key), { ms, untilMs: clock.now() + ms, cancel });
    },
    forget,
  };
}
