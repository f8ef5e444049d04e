import type { KubeObject } from '../api/meta.ts';
import { type Resource, resourceId } from '../api/resource.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Cache, CacheChange } from './cache.ts';
import type { Caches } from './caches.ts';
import type { KubeApi } from './port.ts';

/** How soon a kind is noticed that was installed late, in milliseconds. Each look is one request at most. */
const lookAgainMs = 10_000;

/** The objects of a kind: none as long as the API server does not have it. */
export interface LateCache<T extends KubeObject> extends Pick<Cache<T>, 'list' | 'onChange' | 'synced'> {
  /** Ends the looking. */
  stop(): void;
}

export interface LateCacheParts {
  readonly api: Pick<KubeApi, 'serves'>;
  readonly caches: Pick<Caches, 'cacheOf'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Follows a kind that may be installed at any time, from then on. Rejects where it cannot be known what there is now. */
export async function createLateCache<T extends KubeObject>(
  resource: Resource<T>,
  { api, caches, clock, logger }: LateCacheParts,
): Promise<LateCache<T>> {
  /** Those that wait for the kind, and later how each is cancelled. */
  const listeners = new Map<(change: CacheChange<T>) => void, (() => void) | undefined>();
  let cache = (await api.serves(resource)) ? caches.cacheOf(resource) : undefined;
  let cancel: (() => void) | undefined;
  let stopped = false;

  const look = async (): Promise<void> => {
    try {
      const served = await api.serves(resource);
      if (stopped) return;
      if (served) {
        cache = caches.cacheOf(resource);
        logger.info('a kind has been installed that is followed from now on', {
          resource: resourceId(resource),
        });
        for (const listener of listeners.keys()) listeners.set(listener, cache.onChange(listener));
        return;
      }
    } catch (error) {
      logger.debug('it is not known which kinds there are', { error: messageOf(error) });
    }
    lookLater();
  };
  const lookLater = (): void => {
    if (!stopped) cancel = clock.after(lookAgainMs, () => void look());
  };
  if (cache === undefined) lookLater();

  return {
    list: namespace => cache?.list(namespace) ?? [],
    onChange(listener) {
      if (cache !== undefined) return cache.onChange(listener);
      listeners.set(listener, undefined);
      return () => {
        listeners.get(listener)?.();
        listeners.delete(listener);
      };
    },
    synced: cache?.synced ?? Promise.resolve(),
    stop() {
      stopped = true;
      cancel?.();
    },
  };
}
