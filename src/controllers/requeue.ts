import type { ReconcileResult } from '../runtime/controller.ts';

/** To be looked at again after the shortest of these waits; only after a change where there is none. */
export function soonest(...waitsMs: readonly (number | undefined)[]): ReconcileResult {
  const given = waitsMs.filter(ms => ms !== undefined);
  return given.length === 0 ? {} : { requeueAfterMs: Math.min(...given) };
}
