import type { KubeObject } from '../api/meta.ts';
import { type Resource, resourceId } from '../api/resource.ts';
import { type BackoffPolicy, backoffDelayMs, jittered } from '../core/backoff.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { isKubeError, KubeError } from './errors.ts';
import type { KubeApi, ListPage, Selection } from './port.ts';
import type { Prepare } from './reflector-object.ts';
import type { ReflectorStore } from './reflector-store.ts';

/** How a reflector fares; what metrics and readiness read. */
export interface ReflectorStatus {
  readonly synced: boolean;
  /** When the API last answered or sent an event, in milliseconds since the epoch. A quiet watch may take 5 minutes. */
  readonly lastContact: number | undefined;
  /** Lists after the first one. */
  readonly relists: number;
  /** What the last call failed with; undefined once one has succeeded since. `since`: from when on with this code alone. */
  readonly lastError:
    | { readonly code: string; readonly message: string; readonly at: number; readonly since: number }
    | undefined;
}

/** Keeps a store like the API, by list and watch. */
export interface Reflector {
  /** Runs until `signal`; never fails. A further run ends the one before and goes on from what the store holds. */
  run(signal: AbortSignal): Promise<void>;
  status(): ReflectorStatus;
}

export interface ReflectorOptions<T extends KubeObject> {
  readonly api: KubeApi;
  readonly resource: Resource<T>;
  readonly selection: Selection;
  readonly store: ReflectorStore<T>;
  readonly prepare: Prepare<T>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Every object is told again after about this time, in milliseconds. */
  readonly resyncMs: number;
  readonly random?: () => number;
}

const pageSize = 500;

/** After a failure. Short at first: most are a restart of the API server. */
const afterFailure: BackoffPolicy = { baseMs: 250, capMs: 20_000 };

/** After a watch that ended at once and brought nothing: a server, or a proxy, that will not hold it. */
const afterFruitless: BackoffPolicy = { baseMs: 100, capMs: 20_000 };
const fruitlessBelowMs = 1_000;

/** The same error is logged once in this time. */
const quietMs = 60_000;

/** Waits `delayMs`, or until `signal`. */
function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(delayMs, end);
    signal.addEventListener('abort', end, { once: true });
  });
}

/**
 * Makes a reflector, as `reference/kube-client` wants it: nothing but the end of its signal stops it. 401 and 403
 * are tried again like a broken network; the status says so, for readiness.
 *
 * ```
 *        +-> list (pages of 500) -> watch --- ended cleanly: watch again from the last version
 *        |        |                   |-- GONE, or versions went back: list again, the store stays
 *        +- pause +---- any other ----+-- failed: pause (Retry-After, or back-off), watch again
 * ```
 */
export function createReflector<T extends KubeObject>(options: ReflectorOptions<T>): Reflector {
  const { api, resource, selection, store, prepare, clock, random = Math.random } = options;
  const logger = options.logger.child({ resource: resourceId(resource) });
  let generation = 0;
  let endRun = (): void => {};
  let lists = 0;
  let lastContact: number | undefined;
  let lastError: ReflectorStatus['lastError'];
  let logged = { code: '', at: Number.NEGATIVE_INFINITY };

  const heard = (): void => {
    lastContact = clock.now();
    lastError = undefined;
  };

  const failed = (thrown: unknown): void => {
    const at = clock.now();
    const code = isKubeError(thrown) ? thrown.code : 'KUBE_UNAVAILABLE';
    const since = lastError?.code === code ? lastError.since : at;
    lastError = { code, message: messageOf(thrown), at, since };
    if (code === logged.code && at - logged.at < quietMs) return;
    logged = { code, at };
    logger.warn('the API cannot be followed; trying again', { code, error: messageOf(thrown) });
  };

  /** Reads all pages at one version. Where the token of a page has expired, reads everything in one. */
  const listAll = async (current: () => boolean, signal: AbortSignal): Promise<void> => {
    let objects: T[] = [];
    const ask = (limit?: number, token?: string): Promise<ListPage<T>> =>
      api.list(resource, { ...selection, limit, continue: token, signal });
    let page: ListPage<T>;
    let asked: Promise<ListPage<T>> | undefined = ask(pageSize);
    let isFirst = true;
    do {
      try {
        page = await asked;
      } catch (thrown) {
        if (isFirst || !isKubeError(thrown, 'KUBE_GONE')) throw thrown;
        objects = [];
        page = await ask();
      }
      if (!current()) return;
      heard();
      isFirst = false;
      // While the server makes the next page, this one is prepared.
      asked = page.continue === undefined ? undefined : ask(pageSize, page.continue);
      // Where that fails, nobody waits for the next page.
      asked?.catch(() => {});
      for (const object of page.items) objects.push(prepare(object));
    } while (asked !== undefined);
    lists++;
    store.replace(objects, page.resourceVersion);
  };

  /** Follows one watch to its end. Gives whether it brought the store further. */
  const follow = async (from: string, current: () => boolean, signal: AbortSignal): Promise<boolean> => {
    const timeoutSeconds = Math.round(240 + 60 * random());
    for await (const event of api.watch(resource, {
      ...selection,
      resourceVersion: from,
      timeoutSeconds,
      signal,
    })) {
      if (!current()) return true;
      heard();
      if (event.type !== 'BOOKMARK') store.apply(event.type, event.object, prepare);
      else if (!store.advance(event.resourceVersion)) {
        throw new KubeError('KUBE_GONE', `${resource.plural}: the versions of the API server went back`);
      }
    }
    return store.resourceVersion !== from;
  };

  const loop = async (current: () => boolean, signal: AbortSignal): Promise<void> => {
    let failures = 0;
    let wasGone = false;
    let fruitless = 0;
    let mustList = true;
    while (current()) {
      const begun = clock.now();
      try {
        const from = store.resourceVersion;
        if (mustList || from === undefined) {
          await listAll(current, signal);
          mustList = false;
          continue;
        }
        const advanced = await follow(from, current, signal);
        if (!current()) return;
        heard();
        failures = 0;
        wasGone = false;
        fruitless = advanced || clock.now() - begun >= fruitlessBelowMs ? 0 : fruitless + 1;
        if (fruitless > 0)
          await pause(clock, jittered(backoffDelayMs(afterFruitless, fruitless), random), signal);
      } catch (thrown) {
        if (!current()) return;
        failed(thrown);
        // What has held for longer than the longest pause had got over the failures before.
        failures = clock.now() - begun > afterFailure.capMs ? 1 : failures + 1;
        const gone = isKubeError(thrown, 'KUBE_GONE');
        mustList ||= gone;
        // A server that says so is back, whatever failed before: only one that says it again and again has to be spared.
        const isFirstGone = gone && !wasGone;
        wasGone = gone;
        if (isFirstGone) continue;
        const asked = isKubeError(thrown) ? thrown.retryAfterMs : undefined;
        const delayMs =
          asked === undefined
            ? jittered(backoffDelayMs(afterFailure, failures), random)
            : asked + jittered(afterFailure.baseMs, random);
        await pause(clock, delayMs, signal);
      }
    }
  };

  return {
    async run(outer) {
      endRun();
      const own = ++generation;
      const controller = new AbortController();
      const end = (): void => controller.abort(outer.reason);
      endRun = end;
      if (outer.aborted) return;
      outer.addEventListener('abort', end, { once: true });
      const current = (): boolean => own === generation && !controller.signal.aborted;

      let cancelResync = (): void => {};
      const armResync = (): void => {
        cancelResync = clock.after(options.resyncMs * (0.9 + 0.2 * random()), () => {
          store.resync();
          armResync();
        });
      };
      armResync();
      try {
        await loop(current, controller.signal);
      } finally {
        cancelResync();
        outer.removeEventListener('abort', end);
      }
    },
    status: () => ({ synced: store.isSynced, lastContact, relists: Math.max(0, lists - 1), lastError }),
  };
}
