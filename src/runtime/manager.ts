import type { Clock } from '../core/clock.ts';
import { PosternError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Controller } from './controller.ts';
import type { HealthCheck } from './health.ts';
import type { LeaderElector } from './leader-election.ts';

/** The caches, as far as the manager needs them. */
export interface ManagedCaches {
  start(signal: AbortSignal): void | Promise<void>;
  /** Resolves once every resource has been listed. */
  readonly synced: Promise<unknown>;
  status(): readonly {
    readonly resource: string;
    readonly synced: boolean;
    readonly lastError: { readonly code: string; readonly since: number } | undefined;
  }[];
}

export interface ManagerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly caches: ManagedCaches;
  readonly controllers: readonly Controller[];
  /** Absent: this process leads, there is no other. */
  readonly elector?: LeaderElector;
  /** What the controllers let go first at a start, for a while: that which is there is served before it is looked over. */
  readonly first?: Promise<unknown> | undefined;
  /** How long the reconciles in work may take to end. Default 20 s. */
  readonly stopTimeoutMs?: number;
}

/**
 * Starts and stops what reconciles, in order: controllers subscribe, caches fill, this replica leads,
 * controllers work. While it does not lead, changes pile up in the queues, once a key each, so that it can
 * take over without a list.
 */
export interface Manager {
  /**
   * Runs until `signal` aborts, then lets the reconciles in work end, releases the Lease, and stops the
   * caches. Rejects with STOP_TIMEOUT where they did not end in time: the Lease is not released then, so that
   * no other writes beside them.
   */
  run(signal: AbortSignal): Promise<void>;
  /**
   * For /readyz: whether the caches are filled, and this process may still read what they follow. An API
   * server that is away for a while does not count, nor does leading: the edge serves on.
   */
  readonly ready: readonly HealthCheck[];
  /** For /livez: whether `run` is running. */
  readonly live: readonly HealthCheck[];
}

const defaultStopTimeoutMs = 20_000;
/** Something may keep the edge from serving; certificates are not to wait for that. */
const longestFirstMs = 10_000;

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function unlisted(caches: ManagedCaches): string {
  const missing = caches.status().filter(({ synced }) => !synced);
  return `not listed yet: ${missing.map(({ resource }) => resource).join(', ') || 'nothing has begun'}`;
}

/** An API server that starts refuses everything until it has read its roles; that must not take every edge away. */
const refusedForMs = 30_000;

function refused(caches: ManagedCaches, nowMs: number): string | undefined {
  const codes = ['KUBE_FORBIDDEN', 'KUBE_UNAUTHORIZED'];
  const failing = caches
    .status()
    .filter(({ lastError }) => codes.includes(lastError?.code ?? ''))
    .filter(({ lastError }) => nowMs - (lastError?.since ?? nowMs) >= refusedForMs);
  if (failing.length === 0) return undefined;
  return `the API server refuses to list or watch: ${failing.map(({ resource }) => resource).join(', ')}`;
}

/** A manager; `run` it once. */
export function createManager(options: ManagerOptions): Manager {
  const {
    clock,
    logger,
    caches,
    controllers,
    elector,
    first,
    stopTimeoutMs = defaultStopTimeoutMs,
  } = options;
  let isSynced = false;
  let failure: string | undefined;

  /** Never rejects: what could not start has said so itself. */
  async function letFirst(leading: AbortSignal): Promise<void> {
    const late = Promise.withResolvers<void>();
    const cancel = clock.after(longestFirstMs, late.resolve);
    await Promise.race([first?.catch(() => {}), late.promise, untilAborted(leading)]);
    cancel();
  }

  async function work(leading: AbortSignal): Promise<void> {
    await letFirst(leading);
    logger.info('controllers are working', { controllers: controllers.map(({ name }) => name) });
    // Without controllers there is still the edge, which needs the caches until the end.
    await Promise.all([untilAborted(leading), ...controllers.map(controller => controller.work(leading))]);
  }

  /** Rejects where `running` goes on for longer than the time to stop after `signal`. */
  async function endsInTime(running: Promise<void>, signal: AbortSignal): Promise<void> {
    let cancel = (): void => {};
    const tooLate = untilAborted(signal).then(
      () =>
        new Promise<never>((_resolve, reject) => {
          cancel = clock.after(stopTimeoutMs, () => {
            const busy = controllers.filter(controller => controller.queue().inWork > 0);
            reject(
              new PosternError(
                `Reconciles still ran ${stopTimeoutMs / 1_000} s after they were told to stop: ${busy.map(({ name }) => name).join(', ')}.`,
                { code: 'STOP_TIMEOUT', retry: 'never' },
              ),
            );
          });
        }),
    );
    try {
      await Promise.race([running, tooLate]);
    } finally {
      cancel();
    }
  }

  return {
    async run(signal) {
      const cachesUntil = new AbortController();
      try {
        for (const controller of controllers) controller.watch();
        await caches.start(cachesUntil.signal);
        await Promise.race([caches.synced, untilAborted(signal)]);
        if (signal.aborted) return;
        isSynced = true;
        logger.info('caches are filled');
        await endsInTime(elector === undefined ? work(signal) : elector.run(signal, work), signal);
      } catch (error) {
        failure = 'the manager has failed';
        throw error;
      } finally {
        for (const controller of controllers) void controller.shutDown();
        cachesUntil.abort();
      }
    },
    ready: [
      { name: 'caches', problem: () => (isSynced ? undefined : unlisted(caches)) },
      { name: 'permissions', problem: () => refused(caches, clock.now()) },
    ],
    live: [{ name: 'manager', problem: () => failure }],
  };
}
