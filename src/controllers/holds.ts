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

export function createHolds(clock: Clock): Holds {
  const holds = new Map<string, { readonly untilMs: number; readonly cancel: () => void }>();
  const forget = (key: ObjectKey): void => {
    const id = keyText(key);
    holds.get(id)?.cancel();
    holds.delete(id);
  };
  return {
    leftMs: key => Math.max(0, (holds.get(keyText(key))?.untilMs ?? 0) - clock.now()),
    hold(key, ms) {
      forget(key);
      // The timer ends it in time although somebody sets the clock back.
      const cancel = clock.after(ms, () => forget(key));
      holds.set(keyText(key), { untilMs: clock.now() + ms, cancel });
    },
    forget,
  };
}
