import type { KubeObject } from '../../api/meta.ts';
import type { Resource } from '../../api/resource.ts';
import { resourceId } from '../../api/resource.ts';
import type { Clock } from '../../core/clock.ts';
import { KubeError } from '../errors.ts';
import type { WatchEvent, WatchOptions } from '../port.ts';
import { type ParsedSelection, parseSelection } from '../selector.ts';
import { throwIfAborted } from './abort.ts';
import type { StoredVersion, Versions } from './versions.ts';

const batchSize = 256;
const bookmarkEveryMs = 60_000;

/** What a watch needs of the store. */
export interface WatchSource {
  readonly versions: Versions;
  readonly clock: Clock;
  readonly closed: boolean;
  /** Calls `listener` after each write, and without one when the store closes. Returns its canceller. */
  onWrite(listener: (written: StoredVersion | undefined) => void): () => void;
}

function startOf(versions: Versions, text: string): number {
  if (!/^\d+$/.test(text)) {
    throw new KubeError('KUBE_INVALID', `resourceVersion: ${JSON.stringify(text)} is no version`);
  }
  const version = Number(text);
  checkHistory(versions, version);
  if (version > versions.current()) {
    throw new KubeError('KUBE_GONE', `The version ${version} is not one of this store; list again`);
  }
  return version;
}

function checkHistory(versions: Versions, version: number): void {
  const horizon = versions.horizon();
  if (version >= horizon) return;
  throw new KubeError(
    'KUBE_GONE',
    `The version ${version} is too old: history begins at ${horizon}; list again`,
  );
}

/** What a write is to those who see the selection alone. */
function eventOf<T extends KubeObject>(
  versions: Versions,
  selection: ParsedSelection,
  written: StoredVersion,
): WatchEvent<T> | undefined {
  const object = written.object as T;
  const isIn = selection.matches(object);
  if (!isIn && !selection.dependsOnContent) return undefined;
  const { predecessor } = written;
  if (predecessor === undefined) return isIn ? { type: 'ADDED', object } : undefined;
  let wasIn = isIn;
  if (selection.dependsOnContent) {
    const before = versions.at(predecessor);
    wasIn = before !== undefined && selection.matches(before.object);
  }
  if (written.deleted) return wasIn ? { type: 'DELETED', object } : undefined;
  if (wasIn) return { type: isIn ? 'MODIFIED' : 'DELETED', object };
  return isIn ? { type: 'ADDED', object } : undefined;
}

/**
 * The events of a resource after a version. A watch reads the store's history from where it stands each time
 * it is woken, so that a slow reader costs no memory; one that falls behind the horizon gets GONE.
 */
export async function* watchVersions<T extends KubeObject>(
  source: WatchSource,
  resource: Resource<T>,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  const { versions, clock } = source;
  const { signal } = options;
  throwIfAborted(signal);
  const selection = parseSelection(options);
  const id = resourceId(resource);
  let cursor = startOf(versions, options.resourceVersion);

  let wake: () => void = () => {};
  let woken = false;
  let ended = false;
  let bookmarkDue = false;
  const ring = (): void => {
    woken = true;
    wake();
  };
  let cancelBookmark = (): void => {};
  const armBookmark = (): void => {
    cancelBookmark = clock.after(bookmarkEveryMs, () => {
      bookmarkDue = true;
      armBookmark();
      ring();
    });
  };
  const cancelEnd = clock.after(options.timeoutSeconds * 1_000, () => {
    ended = true;
    ring();
  });
  armBookmark();
  let idle = false;
  const unsubscribe = source.onWrite(written => {
    if (written === undefined || written.resource === id) ring();
    // Nothing for this watch; it keeps up all the same, so that the horizon does not overtake a quiet one.
    else if (idle && !woken) cursor = written.version;
  });
  signal.addEventListener('abort', ring);
  try {
    for (;;) {
      throwIfAborted(signal);
      if (source.closed) return;
      woken = false;
      checkHistory(versions, cursor);
      const current = versions.current();
      const batch = versions.since(id, cursor, batchSize);
      // Selectors look at predecessors, which the history may have lost by the time the reader comes back.
      const events = batch.map(written => eventOf<T>(versions, selection, written));
      for (const event of events) {
        if (event === undefined) continue;
        yield event;
        throwIfAborted(signal);
      }
      cursor = batch.length === batchSize ? (batch.at(-1)?.version ?? current) : current;
      if (batch.length === batchSize) continue;
      if (bookmarkDue || ended) {
        bookmarkDue = false;
        yield { type: 'BOOKMARK', resourceVersion: String(cursor) };
      }
      if (ended) return;
      idle = true;
      if (!woken) await new Promise<void>(resolve => (wake = resolve));
      idle = false;
    }
  } finally {
    cancelEnd();
    cancelBookmark();
    unsubscribe();
    signal.removeEventListener('abort', ring);
  }
}
