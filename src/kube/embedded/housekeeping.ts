import { keyOf } from '../../api/meta.ts';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { Database } from './database.ts';
import { deletedObject } from './next-object.ts';
import type { Store } from './store.ts';

/** How much history is kept for watches that go on and lists that turn pages. */
export interface HistoryLimits {
  readonly versions: number;
  readonly ageMs: number;
}

/** Kubernetes keeps as much time; the number bounds the disk space. */
export const defaultHistory: HistoryLimits = Object.freeze({ versions: 10_000, ageMs: 5 * 60_000 });

const everyMs = 60_000;
/** As in Kubernetes: an Event is kept for an hour after it was last written. */
const eventAgeMs = 3_600_000;
const eventsId = 'events';

/** Drops the Events that have grown old, then the history that no watch may go on from any longer. */
export function tidyStore(database: Database, store: Store, limits: HistoryLimits, nowMs: number): void {
  const { versions, served } = store;
  const events = served.byId(eventsId);
  if (events !== undefined) {
    for (const { object } of versions.writtenBefore(eventsId, nowMs - eventAgeMs)) {
      store.change(events, keyOf(object), live => deletedObject(events, live, nowMs));
    }
  }
  database.transaction(() => {
    const horizon = Math.max(
      versions.newestBefore(nowMs - limits.ageMs),
      versions.current() - limits.versions,
    );
    if (horizon > versions.horizon()) versions.forget(horizon);
  });
}

/** Tidies now and every minute. Returns its stopper. */
export function startHousekeeping(tidy: () => void, clock: Clock, logger: Logger): () => void {
  let cancel = (): void => {};
  const run = (): void => {
    try {
      tidy();
    } catch (thrown) {
      logger.error('The embedded store could not be tidied', { error: messageOf(thrown) });
    }
    cancel = clock.after(everyMs, run);
  };
  run();
  return () => cancel();
}
