import { type Lease, leases } from '../api/kubernetes/lease.ts';
import type { ObjectKey } from '../api/meta.ts';
import { apiVersionOf } from '../api/resource.ts';
import { type Clock, rfc3339Micro } from '../core/clock.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeApi } from '../kube/port.ts';

export interface LeaseLockOptions {
  readonly api: KubeApi;
  readonly clock: Clock;
  readonly lease: ObjectKey;
  readonly identity: string;
  readonly leaseDurationMs: number;
  /** Called when the Lease can be had: it was released, or its holder has not renewed it for its duration. */
  readonly onFree: () => void;
}

/** A Lease, seen by one candidate. Not for concurrent calls, except `observe`. */
export interface LeaseLock {
  /** Wins or renews the Lease (`held`), or finds it held by another. Throws KubeErrors. */
  tryToHold(signal: AbortSignal): Promise<'held' | 'taken'>;
  /** What the Lease is now; undefined where it is gone. */
  observe(lease: Lease | undefined): void;
  /** Gives the Lease up where it is held. Throws KubeErrors. */
  release(): Promise<void>;
  readonly holder: string | undefined;
  /** Of the Lease as last seen. */
  readonly resourceVersion: string | undefined;
}

/**
 * The rules of client-go's leader election. How long another's record has stood unchanged is measured from
 * when this process first saw it, by its own timer: the times in the record are the other's clock, and are
 * not trusted. Every write names the resourceVersion it is based on, so that of two candidates one wins.
 */
export function createLeaseLock(options: LeaseLockOptions): LeaseLock {
  const { api, clock, identity, onFree } = options;
  const leaseDurationSeconds = Math.ceil(options.leaseDurationMs / 1_000);
  let current: Lease | undefined;
  let seenRecord = '';
  let expired = false;
  let cancelExpiry = (): void => {};

  const holderOf = (lease: Lease | undefined): string | undefined => lease?.spec?.holderIdentity || undefined;

  function observe(lease: Lease | undefined): void {
    current = lease;
    const record = JSON.stringify(lease?.spec ?? null);
    if (record === seenRecord) return;
    seenRecord = record;
    expired = false;
    cancelExpiry();
    const holder = holderOf(lease);
    if (holder === identity) return;
    if (holder === undefined) return onFree();
    const ofHolderMs = (lease?.spec?.leaseDurationSeconds ?? leaseDurationSeconds) * 1_000;
    cancelExpiry = clock.after(ofHolderMs, () => {
      expired = true;
      onFree();
    });
  }

  async function hold(lease: Lease): Promise<void> {
    const now = rfc3339Micro(clock.now());
    const already = holderOf(lease) === identity;
    const spec = {
      ...lease.spec,
      holderIdentity: identity,
      leaseDurationSeconds,
      acquireTime: (already ? lease.spec?.acquireTime : undefined) ?? now,
      renewTime: now,
      leaseTransitions: (lease.spec?.leaseTransitions ?? 0) + (already ? 0 : 1),
    };
    observe(await api.update(leases, { ...lease, spec }));
  }

  async function create(): Promise<void> {
    const now = rfc3339Micro(clock.now());
    const created = await api.create(leases, {
      apiVersion: apiVersionOf(leases),
      kind: leases.kind,
      metadata: { ...options.lease },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds,
        acquireTime: now,
        renewTime: now,
        leaseTransitions: 0,
      },
    });
    observe(created);
  }

  async function find(signal?: AbortSignal): Promise<Lease | undefined> {
    try {
      return await api.get(leases, options.lease, signal);
    } catch (error) {
      if (isKubeError(error, 'KUBE_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  return {
    observe,
    async tryToHold(signal) {
      if (current !== undefined && holderOf(current) === identity) {
        try {
          await hold(current);
          return 'held';
        } catch (error) {
          // What is known of the Lease is old: look again.
          if (!isKubeError(error, 'KUBE_CONFLICT', 'KUBE_NOT_FOUND')) throw error;
        }
      }
      const found = await find(signal);
      observe(found);
      const holder = holderOf(found);
      if (holder !== undefined && holder !== identity && !expired) return 'taken';
      try {
        await (found === undefined ? create() : hold(found));
        return 'held';
      } catch (error) {
        const another = isKubeError(error, 'KUBE_CONFLICT', 'KUBE_ALREADY_EXISTS') && holder !== identity;
        if (another) return 'taken';
        throw error;
      }
    },
    async release() {
      const held = current;
      if (held === undefined || holderOf(held) !== identity) return;
      const now = rfc3339Micro(clock.now());
      const spec = {
        ...held.spec,
        holderIdentity: '',
        leaseDurationSeconds: 1,
        acquireTime: now,
        renewTime: now,
      };
      observe(await api.update(leases, { ...held, spec }));
    },
    get holder() {
      return holderOf(current);
    },
    get resourceVersion() {
      return current?.metadata.resourceVersion;
    },
  };
}
