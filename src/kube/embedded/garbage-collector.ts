import type { KubeObject, OwnerReference } from '../../api/meta.ts';
import { keyOf } from '../../api/meta.ts';
import { resourceId } from '../../api/resource.ts';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { isKubeError } from '../errors.ts';
import { deletedObject, updatedObject } from './next-object.ts';
import type { Store } from './store.ts';
import { acceptAll } from './validation.ts';
import type { StoredVersion } from './versions.ts';

/** Collects what has lost all of its owners, in the background. */
export interface GarbageCollector {
  /** Resolves once nothing is left to look at. */
  idle(): Promise<void>;
  stop(): void;
}

/** How many objects are looked at before the event loop has its turn again. */
const batchSize = 50;
const retryAfterMs = 5_000;

type OwnerState = 'present' | 'absent' | 'unknown';

/**
 * Whether an owner is there, as the object that it was by its uid. An owner of a kind that is not served here,
 * and a namespaced owner of a cluster-scoped object, cannot be looked up: nothing is collected for these.
 */
function ownerState(store: Store, dependent: KubeObject, reference: OwnerReference): OwnerState {
  const slash = reference.apiVersion.indexOf('/');
  const group = slash < 0 ? '' : reference.apiVersion.slice(0, slash);
  const resource = store.served.ofKind(group, reference.kind);
  if (resource === undefined) return 'unknown';
  const namespace = dependent.metadata.namespace ?? '';
  if (resource.namespaced && namespace === '') return 'unknown';
  const owner = store.versions.live(resourceId(resource), {
    namespace: resource.namespaced ? namespace : '',
    name: reference.name,
  });
  return owner?.object.metadata.uid === reference.uid ? 'present' : 'absent';
}

function collect(store: Store, version: StoredVersion, nowMs: number): void {
  const resource = store.served.byId(version.resource);
  if (resource === undefined) return;
  store.change(resource, keyOf(version.object), live => {
    const references = live.metadata.ownerReferences ?? [];
    const kept = references.filter(reference => ownerState(store, live, reference) !== 'absent');
    if (live.metadata.uid !== version.object.metadata.uid || kept.length === references.length) {
      return { kind: 'unchanged' };
    }
    if (kept.length === 0) return deletedObject(resource, live, nowMs);
    const metadata = { ...live.metadata, ownerReferences: kept };
    return updatedObject(resource, live, { ...live, metadata }, acceptAll);
  });
}

/**
 * Watches the commits of a store: what names an owner is checked when it is written, and what names a removed
 * object when that goes. Everything is checked once at the start, since the process may have ended in between.
 * As in Kubernetes, an object with other owners left only loses the reference. Propagation is always
 * `Background`.
 */
export function startGarbageCollector(
  store: Store,
  options: { readonly clock: Clock; readonly logger: Logger },
): GarbageCollector {
  const removedOwners = new Set<string>();
  const suspects = new Map<number, StoredVersion>();
  let scheduled: NodeJS.Immediate | undefined;
  let cancelRetry = (): void => {};
  let stopped = false;
  let waiting: (() => void)[] = [];

  const schedule = (): void => {
    if (!stopped) scheduled ??= setImmediate(run);
  };
  const suspect = (versions: readonly StoredVersion[]): void => {
    for (const version of versions) suspects.set(version.version, version);
  };
  const run = (): void => {
    scheduled = undefined;
    try {
      for (const uid of removedOwners) suspect(store.versions.owned(uid));
      removedOwners.clear();
      for (const version of [...suspects.values()].slice(0, batchSize)) {
        collectOne(version);
        suspects.delete(version.version);
      }
    } catch (thrown) {
      options.logger.error('Garbage collection failed; it is tried again in 5 seconds', {
        error: messageOf(thrown),
      });
      cancelRetry();
      cancelRetry = options.clock.after(retryAfterMs, schedule);
      return;
    }
    if (suspects.size > 0 || removedOwners.size > 0) schedule();
    else for (const resolve of waiting.splice(0)) resolve();
  };
  const collectOne = (version: StoredVersion): void => {
    try {
      collect(store, version, options.clock.now());
    } catch (thrown) {
      if (!isKubeError(thrown, 'KUBE_NOT_FOUND')) throw thrown;
    }
  };

  store.onCommit(written => {
    const { uid, ownerReferences } = written.object.metadata;
    if (written.deleted) {
      if (uid !== undefined) removedOwners.add(uid);
      schedule();
    } else if (ownerReferences !== undefined) {
      suspect([written]);
      schedule();
    }
  });
  suspect(store.versions.owned());
  schedule();
  return {
    idle: () => (scheduled === undefined ? Promise.resolve() : new Promise(resolve => waiting.push(resolve))),
    stop() {
      stopped = true;
      cancelRetry();
      if (scheduled !== undefined) clearImmediate(scheduled);
      scheduled = undefined;
      for (const resolve of waiting) resolve();
      waiting = [];
    },
  };
}
