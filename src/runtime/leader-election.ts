import { leases } from '../api/kubernetes/lease.ts';
import { keyText, type ObjectKey } from '../api/meta.ts';
import type { Clock } from '../core/clock.ts';
import { PosternError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { KubeApi } from '../kube/port.ts';
import { createLeaseLock, type LeaseLock } from './lease-lock.ts';

/** How long a leader counts as alive: lease above renew, renew above retry. */
export interface LeaderElectionTimes {
  /** Others take over this long after the last renewal that they saw. At least a second. Default 60 s. */
  readonly leaseDurationMs: number;
  /** A leader that could not renew for this long leads no more. Default 40 s. */
  readonly renewDeadlineMs: number;
  /** Between two renewals, and between two looks at another's Lease. Default 15 s. */
  readonly retryPeriodMs: number;
}

/** As cert-manager has it. */
export const defaultLeaderElectionTimes: LeaderElectionTimes = Object.freeze({
  leaseDurationMs: 60_000,
  renewDeadlineMs: 40_000,
  retryPeriodMs: 15_000,
});

export interface LeaderElectorOptions {
  readonly api: KubeApi;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The Lease that is fought for. */
  readonly lease: ObjectKey;
  /** Who this process is; no other process that may run at the same time has the same. */
  readonly identity: string;
  readonly times?: LeaderElectionTimes;
  readonly random?: () => number;
  /** Told of each change. */
  readonly onChange?: (isLeader: boolean) => void;
}

/** One candidate for the leadership. */
export interface LeaderElector {
  /**
   * Campaigns until `signal` aborts. Whenever the leadership is won, calls `lead`, whose signal aborts when
   * it is lost or `signal` aborts; `lead` must end soon after. Then campaigns again: a process that lost the
   * leadership goes on with what every replica does, it is not restarted.
   *
   * Whatever `lead` does is over, or told to be over, before another could win: its signal aborts
   * `renewDeadlineMs` after the last renewal was sent, others wait `leaseDurationMs` from when they saw it.
   *
   * At the end, once `lead` is over, the Lease is released, and another wins it at once. Rejects with what
   * `lead` threw.
   */
  run(signal: AbortSignal, lead: (leading: AbortSignal) => Promise<void>): Promise<void>;
  readonly isLeader: boolean;
  /** Who leads, as far as is known. */
  readonly holder: string | undefined;
}

function checkTimes({ leaseDurationMs, renewDeadlineMs, retryPeriodMs }: LeaderElectionTimes): void {
  if (leaseDurationMs >= 1_000 && leaseDurationMs > renewDeadlineMs && renewDeadlineMs > retryPeriodMs)
    return;
  throw new PosternError(
    `Leader election needs lease duration > renew deadline > retry period, and a lease duration of 1 s at least; given are ${leaseDurationMs / 1_000} s, ${renewDeadlineMs / 1_000} s and ${retryPeriodMs / 1_000} s.`,
    { code: 'CONFIG_INVALID', retry: 'never' },
  );
}

/** A candidate in an election by a `coordination.k8s.io/v1` Lease. Throws CONFIG_INVALID on times that do not fit. */
export function createLeaderElector(options: LeaderElectorOptions): LeaderElector {
  const {
    api,
    clock,
    identity,
    times = defaultLeaderElectionTimes,
    random = Math.random,
    onChange,
  } = options;
  checkTimes(times);
  const logger = options.logger.child({ lease: keyText(options.lease), identity });
  let endPause: (() => void) | undefined;
  let wasFreed = false;
  let leading: AbortSignal | undefined;
  const lock: LeaseLock = createLeaseLock({
    api,
    clock,
    lease: options.lease,
    identity,
    leaseDurationMs: times.leaseDurationMs,
    onFree: () => {
      wasFreed = true;
      endPause?.();
    },
  });

  async function release(): Promise<void> {
    await lock.release().catch((error: unknown) => logger.warn('cannot release the Lease', { error }));
  }

  /** Waits for `ms`, or until `signal` aborts, or until the Lease is free. */
  function pause(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise(resolve => {
      const end = (): void => {
        cancel();
        signal.removeEventListener('abort', end);
        endPause = undefined;
        resolve();
      };
      const cancel = clock.after(ms, end);
      endPause = end;
      signal.addEventListener('abort', end, { once: true });
    });
  }

  /** Follows the Lease, so that its release is seen at once. The polling goes on beside it: this may fail. */
  async function follow(signal: AbortSignal): Promise<void> {
    const { resourceVersion } = lock;
    if (resourceVersion === undefined) return;
    const { namespace, name } = options.lease;
    const selection = { namespace, fieldSelector: `metadata.name=${name}` };
    try {
      for await (const event of api.watch(leases, {
        ...selection,
        resourceVersion,
        timeoutSeconds: 270,
        signal,
      })) {
        if (signal.aborted) return;
        if (event.type !== 'BOOKMARK') lock.observe(event.type === 'DELETED' ? undefined : event.object);
      }
    } catch (error) {
      if (!signal.aborted) logger.debug('cannot watch the Lease, polling it', { error });
    }
  }

  /** Gives the time at which the winning request was sent, or undefined once `stop` aborts. */
  async function campaign(stop: AbortSignal): Promise<number | undefined> {
    const over = new AbortController();
    const signal = AbortSignal.any([stop, over.signal]);
    let isFollowing = false;
    try {
      while (!stop.aborted) {
        const sentMs = clock.now();
        wasFreed = false;
        try {
          if ((await lock.tryToHold(stop)) === 'held') return sentMs;
        } catch (error) {
          if (!stop.aborted) logger.warn('cannot reach the Lease', { error });
        }
        if (!isFollowing) {
          isFollowing = true;
          void follow(signal).finally(() => {
            isFollowing = false;
          });
        }
        // Freed while that was asked: what was read may be older than what was seen.
        if (!wasFreed) await pause(times.retryPeriodMs * (1 + 0.2 * random()), stop);
      }
      return undefined;
    } finally {
      over.abort();
    }
  }

  /** Renews until `signal` aborts, or another holds the Lease. */
  async function keepRenewing(signal: AbortSignal, renewedBy: (sentMs: number) => void): Promise<void> {
    let delayMs = times.retryPeriodMs;
    for (;;) {
      await pause(delayMs, signal);
      if (signal.aborted) return;
      const sentMs = clock.now();
      try {
        if ((await lock.tryToHold(signal)) === 'taken') {
          return logger.warn('leading no more: another holds the Lease', { holder: lock.holder });
        }
        renewedBy(sentMs);
        delayMs = times.retryPeriodMs;
      } catch (error) {
        if (signal.aborted) return;
        logger.warn('cannot renew the Lease', { error });
        delayMs = times.retryPeriodMs / 5;
      }
    }
  }

  /** Leads from a Lease won by a request sent at `wonMs` until it is lost or `stop` aborts; then releases it. */
  async function reign(
    wonMs: number,
    stop: AbortSignal,
    lead: (leading: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([stop, over.signal]);
    let cancelDeadline = (): void => {};
    const setDeadlineFrom = (sentMs: number): void => {
      cancelDeadline();
      // Not more than the whole, where the machine's clock was set back since.
      const leftMs = times.renewDeadlineMs - Math.max(0, clock.now() - sentMs);
      cancelDeadline = clock.after(leftMs, () => {
        logger.error('leading no more: the Lease could not be renewed in time', {
          renewDeadlineMs: times.renewDeadlineMs,
        });
        over.abort();
      });
    };
    setDeadlineFrom(wonMs);
    signal.addEventListener('abort', () => onChange?.(false), { once: true });
    leading = signal;
    onChange?.(true);
    logger.info('leading');
    const work = (async () => lead(signal))().finally(() => over.abort());
    const renewal = keepRenewing(signal, setDeadlineFrom).finally(() => over.abort());
    await Promise.allSettled([work, renewal]);
    cancelDeadline();
    leading = undefined;
    await release();
    await work;
  }

  return {
    async run(signal, lead) {
      while (!signal.aborted) {
        const wonMs = await campaign(signal);
        if (wonMs === undefined) return;
        // Won by the last request before the end: given back unused.
        if (signal.aborted) await release();
        else await reign(wonMs, signal, lead);
      }
    },
    get isLeader() {
      return leading?.aborted === false;
    },
    get holder() {
      return lock.holder;
    },
  };
}
