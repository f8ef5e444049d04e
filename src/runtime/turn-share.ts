/** How long one turn of the event loop may be held up, in milliseconds. */
const mostMs = 8;

/** When this turn of the event loop began, as far as it was asked about. */
let begunMs: number | undefined;

/**
 * For work in many steps that need not wait for anything: promises that are fulfilled already follow one another within one
 * turn of the event loop, in which no request, no timer and no probe of health is answered. Gives undefined while others can
 * wait, and a promise of the next turn when they have waited for long enough.
 */
export function turnForOthers(): Promise<void> | undefined {
  const nowMs = performance.now();
  if (begunMs === undefined) {
    begunMs = nowMs;
    setImmediate(() => {
      begunMs = undefined;
    });
  }
  return nowMs - begunMs < mostMs ? undefined : new Promise(resolve => setImmediate(resolve));
}
