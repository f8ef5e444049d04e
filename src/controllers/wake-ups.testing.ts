import { onTestFinished } from 'vitest';
import { keyText } from '../api/meta.ts';
import { silentLogger } from '../core/logger.ts';
import { createCaches } from '../kube/caches.ts';
import type { EmbeddedApi } from '../kube/embedded/open.ts';
import { createEventRecorder } from '../kube/events.ts';
import type { ControllerSpec } from '../runtime/controller.ts';
import type { ControllerContext } from './context.ts';
import { aGround } from './world.testing.ts';

/** A controller that is woken, and does nothing. */
export interface WakeUps {
  readonly store: EmbeddedApi;
  /** Makes a change, and gives the keys for which the controller was woken by it, each once. */
  readonly by: (change: () => Promise<unknown>) => Promise<string[]>;
}

/** So many turns of the event loop without a change mean that all are told. */
const turns = 6;

/** Has the controller that `make` gives watch an empty store. */
export async function wakeUpsOf(make: (context: ControllerContext) => ControllerSpec): Promise<WakeUps> {
  const { store, clock } = aGround();
  const logger = silentLogger;
  const caches = createCaches({ api: store, clock, logger, random: () => 0.5 });
  const events = createEventRecorder({ api: store, clock, logger });
  const keys = new Set<string>();
  make({ api: caches.writer, caches, events, clock, logger }).watch(key => void keys.add(keyText(key)));
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  caches.start(abort.signal);
  await caches.synced;
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < turns; turn++) await new Promise(resolve => void setImmediate(resolve));
  };
  return {
    store,
    by: async change => {
      await settle();
      keys.clear();
      await change();
      await settle();
      return [...keys].sort();
    },
  };
}
