import { randomBytes } from 'node:crypto';
import { type Event, events } from '../api/kubernetes/event.ts';
import { type KubeObject, keyOf, keyText, type ObjectKey } from '../api/meta.ts';
import { type Clock, rfc3339 } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { isKubeError } from './errors.ts';
import { createEventQueue } from './event-queue.ts';
import type { KubeApi } from './port.ts';
import { createSpamGuard } from './spam-guard.ts';

/**
 * Tells a user what happened to an object, as core/v1 Events. Returns at once and never throws: an event that
 * cannot be written is lost. The same event again within ten minutes only counts up, written at most once in 30 s.
 */
export interface EventRecorder {
  /** `reason` is in UpperCamelCase; `message` a sentence for the user, cut to 1024 bytes. */
  normal(object: KubeObject, reason: string, message: string): void;
  warning(object: KubeObject, reason: string, message: string): void;
  /** Writes what is waiting; resolves when that is done, or after its deadline. */
  flush(): Promise<void>;
}

export interface EventRecorderOptions {
  readonly api: KubeApi;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The host or pod that tells; shown as the source. */
  readonly instance?: string | undefined;
  /** How long `flush` may take, in milliseconds. */
  readonly flushDeadlineMs?: number;
}

const component = 'postern';
const sameForMs = 10 * 60_000;
const writeEveryMs = 30_000;
const mostWaiting = 1_000;
const mostRemembered = 4_096;
const longestMessage = 1_024;
/** As client-go has it: enough for the whole story of a certificate, at once and every few hours. */
const spamLimit = { burst: 25, refillMs: 5 * 60_000 };

/** The event of one kind of happening, while it may happen again. */
interface Remembered {
  key: ObjectKey;
  readonly event: Event;
  count: number;
  lastAt: number;
  /** What the API has been told, or will be by a write that waits. */
  writtenCount: number;
  writtenAt: number;
  cancelWrite: (() => void) | undefined;
}

/** Cuts text to a number of bytes in UTF-8, at a character. */
export function cutToBytes(text: string, most: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= most) return text;
  let end = most;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}

/** Makes a recorder that writes to `api`. */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { api, clock, logger, instance, flushDeadlineMs = 5_000 } = options;
  const queue = createEventQueue(mostWaiting, clock, logger);
  const mayTell = createSpamGuard(clock, spamLimit);
  /** In the order of their last happening. */
  const remembered = new Map<string, Remembered>();

  const newKey = ({ metadata }: KubeObject): ObjectKey => ({
    // Events about cluster-scoped objects live in `default`: the API server wants it so.
    namespace: metadata.namespace ?? 'default',
    name: `${(metadata.name ?? '').slice(0, 200)}.${randomBytes(8).toString('hex')}`,
  });

  const create = async (one: Remembered): Promise<void> => {
    const { count, lastAt } = one;
    await api.create(events, {
      ...one.event,
      metadata: { ...one.key },
      count,
      lastTimestamp: rfc3339(lastAt),
    });
  };

  /** Writes the count; where the event has expired meanwhile, a new one. */
  const countUp = async (one: Remembered): Promise<void> => {
    try {
      const patch = { count: one.count, lastTimestamp: rfc3339(one.lastAt) };
      await api.mergePatch(events, one.key, patch);
    } catch (thrown) {
      if (!isKubeError(thrown, 'KUBE_NOT_FOUND')) throw thrown;
      one.key = { ...one.key, name: `${one.key.name.slice(0, -16)}${randomBytes(8).toString('hex')}` };
      await create(one);
    }
  };

  const write = (one: Remembered, how: (one: Remembered) => Promise<void>): void => {
    one.cancelWrite?.();
    one.cancelWrite = undefined;
    one.writtenCount = one.count;
    one.writtenAt = clock.now();
    if (!queue.push(() => how(one)))
      logger.debug('too many events wait; one is dropped', { reason: one.event.reason });
  };

  const forget = (now: number): void => {
    for (const [id, one] of remembered) {
      if (now - one.lastAt <= sameForMs && remembered.size <= mostRemembered) break;
      if (one.writtenCount < one.count) write(one, countUp);
      remembered.delete(id);
    }
  };

  const tell = (type: 'Normal' | 'Warning', object: KubeObject, reason: string, text: string): void => {
    const now = clock.now();
    forget(now);
    const message = cutToBytes(text, longestMessage);
    const { name, namespace, uid, resourceVersion } = object.metadata;
    const about = JSON.stringify([object.apiVersion, object.kind, keyText(keyOf(object)), uid]);
    const id = JSON.stringify([about, type, reason, message]);

    const known = remembered.get(id);
    if (known !== undefined) {
      known.count++;
      known.lastAt = now;
      remembered.delete(id);
      remembered.set(id, known);
      const waitMs = Math.min(writeEveryMs, Math.max(0, known.writtenAt + writeEveryMs - now));
      known.cancelWrite ??= clock.after(waitMs, () => write(known, countUp));
      return;
    }

    if (!mayTell(about)) {
      logger.debug('too many events about one object; one is dropped', {
        object: keyText(keyOf(object)),
        reason,
      });
      return;
    }
    const { apiVersion, kind } = object;
    const one: Remembered = {
      key: newKey(object),
      event: {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: {},
        involvedObject: { apiVersion, kind, namespace, name, uid, resourceVersion },
        type,
        reason,
        message,
        source: instance === undefined ? { component } : { component, host: instance },
        firstTimestamp: rfc3339(now),
        reportingComponent: component,
        reportingInstance: instance ?? '',
      },
      count: 1,
      lastAt: now,
      writtenCount: 0,
      writtenAt: now,
      cancelWrite: undefined,
    };
    remembered.set(id, one);
    write(one, create);
  };

  return {
    normal: (object, reason, message) => tell('Normal', object, reason, message),
    warning: (object, reason, message) => tell('Warning', object, reason, message),
    async flush() {
      for (const one of remembered.values()) if (one.writtenCount < one.count) write(one, countUp);
      const late = Promise.withResolvers<void>();
      const cancel = clock.after(flushDeadlineMs, late.resolve);
      await Promise.race([queue.idle(), late.promise]);
      cancel();
    },
  };
}
