import { keyText, type ObjectKey } from '../api/meta.ts';
import type { Clock } from '../core/clock.ts';
import { PosternError, retryOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { isKubeError } from '../kube/errors.ts';
import { type ControllerMetrics, noControllerMetrics } from './controller-metrics.ts';
import { turnForOthers } from './turn-share.ts';
import { createWorkQueue } from './work-queue.ts';

/** What a reconcile gives when it did not fail. */
export interface ReconcileResult {
  /** Look at this key again after this time, whatever happens until then. Absent: only after a change. */
  readonly requeueAfterMs?: number | undefined;
}

/** Has a key reconciled. With `first`, before those without: what is nearly done is done before more is begun. */
export type Enqueue = (key: ObjectKey, first?: boolean) => void;

/**
 * A controller: what it watches, and what it does for one key.
 *
 * `watch` is called once, before the caches start; it declares indexes and subscribes listeners that only
 * enqueue keys. `reconcile` is never called for one key twice at a time, and for at most `concurrency`
 * keys at once. It must be idempotent, must give up soon after `signal` aborts (shutdown, leadership lost,
 * or its deadline), and reports a failure by throwing: a PosternError says itself how it is tried again,
 * anything else means back-off.
 */
export interface ControllerSpec {
  /** Lower case with dashes; the `controller` label of the metrics. */
  readonly name: string;
  /** Default 16. */
  readonly concurrency?: number;
  watch(enqueue: Enqueue): void;
  reconcile(key: ObjectKey, signal: AbortSignal): Promise<ReconcileResult>;
}

export interface ControllerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: ControllerMetrics;
  /** How long one reconcile may take before its signal aborts. Default 2 minutes. */
  readonly reconcileTimeoutMs?: number;
  readonly random?: () => number;
}

/** A controller with its queue. Keys are collected from `watch` on, and worked on while `work` runs. */
export interface Controller {
  readonly name: string;
  /** Subscribes. Once, before the caches start. */
  watch(): void;
  /**
   * Works on the queue until `signal` aborts; resolves when the last reconcile has ended. May be called
   * again then: a key whose reconcile was broken off is in the queue again.
   */
  work(signal: AbortSignal): Promise<void>;
  /** Keys due, in work, and waiting for a timer. */
  queue(): { readonly depth: number; readonly inWork: number; readonly delayed: number };
  /** Drops the queue and its timers for good. */
  shutDown(): Promise<void>;
}

/** An API server that is away is no fault of the key's: it is looked for as often as by the caches. */
const longestAwayMs = 20_000;
const defaultConcurrency = 16;
const defaultReconcileTimeoutMs = 120_000;

/** A controller for `spec`. This is the only place that logs, counts and requeues a reconcile error. */
export function createController(spec: ControllerSpec, options: ControllerOptions): Controller {
  const { clock, metrics = noControllerMetrics, reconcileTimeoutMs = defaultReconcileTimeoutMs } = options;
  const logger = options.logger.child({ controller: spec.name });
  const queue = createWorkQueue<ObjectKey>({
    clock,
    idOf: keyText,
    ...(options.random === undefined ? {} : { random: options.random }),
    observer: {
      depth: keys => metrics.queueDepth(keys),
      taken: waitedMs => metrics.queueWaited(waitedMs),
      retried: () => metrics.queueRetried(),
    },
  });

  function requeueAfterError(key: ObjectKey, error: unknown): void {
    const fields = { object: keyText(key), error };
    if (isKubeError(error, 'KUBE_CONFLICT')) {
      const requeueAfterMs = queue.addRateLimited(key);
      logger.debug('object changed meanwhile, trying again', { ...fields, requeueAfterMs });
      return;
    }
    const { retry, retryAfterMs } = retryOf(error);
    if (retry === 'never') {
      queue.forget(key);
      logger.error('reconcile failed, waiting for a change', fields);
    } else if (retry === 'after' && retryAfterMs !== undefined) {
      queue.addAfter(key, retryAfterMs);
      logger.warn('reconcile put off', { ...fields, requeueAfterMs: retryAfterMs });
    } else {
      const isAway = isKubeError(error, 'KUBE_UNAVAILABLE');
      const requeueAfterMs = queue.addRateLimited(key, isAway ? longestAwayMs : undefined);
      const facts = { ...fields, failures: queue.failures(key), requeueAfterMs };
      // What was raised on purpose may pass by itself; anything else may be a defect.
      if (error instanceof PosternError) logger.warn('reconcile failed, trying again', facts);
      else logger.error('reconcile failed, trying again', facts);
    }
  }

  async function reconcileOne(key: ObjectKey, stop: AbortSignal): Promise<void> {
    // Not AbortSignal.any: each of its signals stays in memory for as long as the one that lives longest.
    const attempt = new AbortController();
    const onStop = (): void => attempt.abort(stop.reason);
    stop.addEventListener('abort', onStop, { once: true });
    let overdue: PosternError | undefined;
    const cancelDeadline = clock.after(reconcileTimeoutMs, () => {
      logger.warn('reconcile is past its deadline', { object: keyText(key), timeoutMs: reconcileTimeoutMs });
      const message = `The reconcile of ${keyText(key)} took longer than ${reconcileTimeoutMs / 1_000} s.`;
      overdue = new PosternError(message, { code: 'RECONCILE_TIMEOUT' });
      attempt.abort(overdue);
    });
    const startedMs = clock.now();
    const ended = (outcome: Parameters<ControllerMetrics['reconciled']>[0]): void =>
      metrics.reconciled(outcome, clock.now() - startedMs);
    try {
      const { requeueAfterMs } = await spec.reconcile(key, attempt.signal);
      ended('success');
      queue.forget(key);
      if (requeueAfterMs !== undefined) queue.addAfter(key, requeueAfterMs);
    } catch (thrown) {
      if (stop.aborted) {
        // Broken off, so unfinished: whoever works next starts it again.
        queue.add(key);
        ended('aborted');
        return;
      }
      const error = overdue ?? thrown;
      ended(isKubeError(error, 'KUBE_CONFLICT') ? 'conflict' : 'error');
      requeueAfterError(key, error);
    } finally {
      cancelDeadline();
      stop.removeEventListener('abort', onStop);
      queue.done(key);
    }
  }

  async function worker(signal: AbortSignal): Promise<void> {
    for (;;) {
      const key = await queue.take(signal);
      if (key === undefined) return;
      await reconcileOne(key, signal);
      await turnForOthers();
    }
  }

  return {
    name: spec.name,
    watch: () => spec.watch((key, first) => queue.add(key, first)),
    async work(signal) {
      // One of its own: a signal finds a listener by looking through all of them, and that of the process has many.
      const ending = new AbortController();
      const end = (): void => ending.abort(signal.reason);
      if (signal.aborted) end();
      signal.addEventListener('abort', end, { once: true });
      const workers = Array.from({ length: spec.concurrency ?? defaultConcurrency }, () =>
        worker(ending.signal),
      );
      await Promise.all(workers).finally(() => signal.removeEventListener('abort', end));
    },
    queue: () => ({ depth: queue.depth, inWork: queue.inWork, delayed: queue.delayed }),
    shutDown: () => queue.shutDown(),
  };
}
