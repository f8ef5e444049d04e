import { type BackoffPolicy, backoffDelayMs, jittered } from '../core/backoff.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { isKubeError } from './errors.ts';

/** Writes that are made one after the other, some time, and lost rather than waited for. */
export interface EventQueue {
  /** Queues a write; false where the queue is full, and the write is dropped. */
  push(write: () => Promise<void>): boolean;
  /** Resolves when nothing is queued and nothing is under way. */
  idle(): Promise<void>;
}

const retries: BackoffPolicy = { baseMs: 500, capMs: 10_000 };
const mostAttempts = 6;

/**
 * @param limit how many writes may wait
 */
export function createEventQueue(limit: number, clock: Clock, logger: Logger): EventQueue {
  const waiting: (() => Promise<void>)[] = [];
  let waiters: (() => void)[] = [];
  let busy = false;

  /** Makes one write. Tries again where the API cannot take it now; gives up where it will not. */
  const attempt = async (write: () => Promise<void>): Promise<void> => {
    for (let failures = 1; ; failures++) {
      try {
        return await write();
      } catch (thrown) {
        const mayPass = isKubeError(
          thrown,
          'KUBE_UNAVAILABLE',
          'KUBE_TOO_MANY_REQUESTS',
          'KUBE_UNAUTHORIZED',
        );
        if (!mayPass || failures === mostAttempts) {
          logger.debug('an event was not written', { error: messageOf(thrown) });
          return;
        }
        const delayMs = thrown.retryAfterMs ?? jittered(backoffDelayMs(retries, failures));
        await new Promise<void>(resolve => {
          clock.after(delayMs, resolve);
        });
      }
    }
  };

  const drain = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await attempt(next);
    busy = false;
    const idle = waiters;
    waiters = [];
    for (const resolve of idle) resolve();
  };

  return {
    push(write) {
      if (waiting.length >= limit) return false;
      waiting.push(write);
      if (!busy) {
        busy = true;
        void drain();
      }
      return true;
    },
    idle() {
      if (!busy) return Promise.resolve();
      return new Promise(resolve => waiters.push(resolve));
    },
  };
}
