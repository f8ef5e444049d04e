import type { Lease } from '../api/kubernetes/lease.ts';
import type { KubeObject } from '../api/meta.ts';
import { KubeError } from '../kube/errors.ts';
import type { KubeApi, WatchEvent } from '../kube/port.ts';

/** A `KubeApi` that holds one Lease and can be cut off. */
export interface LeaseApi extends KubeApi {
  readonly lease: Lease | undefined;
  /** The number of writes that were stored. */
  readonly writes: number;
  /** While true, every call fails and no event is sent. */
  isDown: boolean;
  /** While true, watches fail as if they were forbidden. */
  isBlind: boolean;
  /** Writes as somebody else would. */
  put(lease: Lease): void;
  remove(): void;
}

/** An empty one. Only what leader election calls is there. */
export function leaseApi(): LeaseApi {
  let stored: Lease | undefined;
  let version = 0;
  const listeners = new Set<(event: WatchEvent<Lease>) => void>();

  function reach(): void {
    if (api.isDown) throw new KubeError('KUBE_UNAVAILABLE', 'The API server cannot be reached.');
  }

  function store(lease: Lease): Lease {
    version += 1;
    stored = structuredClone({ ...lease, metadata: { ...lease.metadata, resourceVersion: String(version) } });
    if (!api.isDown) for (const listener of listeners) listener({ type: 'MODIFIED', object: stored });
    return stored;
  }

  const refuse = (): never => {
    throw new Error('Leader election does not call this.');
  };

  const api = {
    get lease() {
      return stored;
    },
    get writes() {
      return version;
    },
    isDown: false,
    isBlind: false,
    put: (lease: Lease) => void store(lease),
    remove: () => {
      stored = undefined;
    },
    async get() {
      reach();
      if (stored === undefined) throw new KubeError('KUBE_NOT_FOUND', 'There is no Lease.');
      return stored;
    },
    async create(_resource: unknown, lease: Lease) {
      reach();
      if (stored !== undefined) throw new KubeError('KUBE_ALREADY_EXISTS', 'There is a Lease.');
      return store(lease);
    },
    async update(_resource: unknown, lease: Lease) {
      reach();
      if (stored === undefined) throw new KubeError('KUBE_NOT_FOUND', 'There is no Lease.');
      if (lease.metadata.resourceVersion !== stored.metadata.resourceVersion) {
        throw new KubeError('KUBE_CONFLICT', 'The Lease has changed.');
      }
      return store(lease);
    },
    async *watch(_resource: unknown, { signal }: { signal: AbortSignal }) {
      reach();
      if (api.isBlind) throw new KubeError('KUBE_FORBIDDEN', 'Watching Leases is forbidden.');
      const events: WatchEvent<Lease>[] = [];
      let wake = (): void => {};
      const listener = (event: WatchEvent<Lease>): void => {
        events.push(event);
        wake();
      };
      listeners.add(listener);
      signal.addEventListener('abort', () => wake());
      try {
        while (!signal.aborted) {
          const event = events.shift();
          if (event !== undefined) yield event;
          else await new Promise<void>(resolve => (wake = resolve));
        }
      } finally {
        listeners.delete(listener);
      }
    },
    list: refuse,
    updateStatus: refuse,
    mergePatch: refuse,
    delete: refuse,
    serves: async (_resource: { readonly kind: string } & KubeObject) => true,
  };
  return api as unknown as LeaseApi;
}

/** Lets everything run that waits for no timer and no network. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(resolve => setImmediate(resolve));
}
