import { type BackoffPolicy, backoffDelayMs, jittered } from '../core/backoff.ts';
import type { Clock } from '../core/clock.ts';

/** What is told about a queue while it works; called synchronously, must not throw. */
export interface WorkQueueObserver {
  /** The number of keys that are due and wait for a worker. */
  depth(keys: number): void;
  /** A key was handed out `waitedMs` after it fell due. */
  taken(waitedMs: number): void;
  /** A key was put off after a failure. */
  retried(): void;
}

export interface WorkQueueOptions<K> {
  readonly clock: Clock;
  /** What makes two keys the same. */
  readonly idOf: (key: K) => string;
  /** Default: 50 ms, doubled for each failure, at most 5 minutes. */
  readonly backoff?: BackoffPolicy;
  readonly random?: () => number;
  readonly observer?: WorkQueueObserver;
}

/**
 * A queue of keys for several workers.
 *
 * - A key in work is never handed out a second time. What is added meanwhile is remembered, once.
 * - Each key has one place at most: the earliest of all that was asked for. So an immediate `add` takes the
 *   place of a timer, and a timer for a key that is due already is nothing.
 * - Keys come out in the order in which they fell due; those added as `first`, in theirs, before the others.
 */
export interface WorkQueue<K> {
  /** The key is due now. Cancels its timer. With `first`, it comes before those that were added without. */
  add(key: K, first?: boolean): void;
  /** The key is due in `delayMs` at the latest. */
  addAfter(key: K, delayMs: number): void;
  /**
   * Counts a failure of the key and makes it due after its back-off, or after `mostMs` where that is shorter. Gives
   * the delay in milliseconds.
   */
  addRateLimited(key: K, mostMs?: number): number;
  /** Forgets the failures of the key. */
  forget(key: K): void;
  /** The failures counted since the key was last forgotten. */
  failures(key: K): number;
  /** The next key that is due, as soon as there is one. Undefined after `shutDown`, or once `signal` aborts. */
  take(signal?: AbortSignal): Promise<K | undefined>;
  /** Gives back a key that was taken; it comes again where it was added meanwhile. */
  done(key: K): void;
  /** Keys that are due and wait for a worker. */
  readonly depth: number;
  /** Keys that are handed out. */
  readonly inWork: number;
  /** Keys that wait for a timer. */
  readonly delayed: number;
  /**
   * Hands out nothing more, takes nothing more, cancels the timers. Resolves when the last key in work is
   * given back. What was queued is dropped: it is found again from the objects by the next process.
   */
  shutDown(): Promise<void>;
}

const defaultBackoff: BackoffPolicy = { baseMs: 50, capMs: 300_000 };

interface Due<K> {
  readonly id: string;
  readonly key: K;
  readonly sinceMs: number;
  readonly first: boolean;
}

/** First in, first out; adding and taking cost the same however many there are. */
class Line<T> {
  #items: T[] = [];
  /** Those before it are gone. */
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#head += 1;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    } else if (this.#head > 1_024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}

/** An empty queue. Adding, taking and giving back cost the same for ten keys as for ten thousand. */
export function createWorkQueue<K>(options: WorkQueueOptions<K>): WorkQueue<K> {
  const { clock, idOf, observer, backoff = defaultBackoff, random = Math.random } = options;
  /** Keys that are due, in order. What has moved on to `firsts` stays behind in `due`, to be passed over. */
  let due = new Line<Due<K>>();
  let firsts = new Line<Due<K>>();
  const queued = new Map<string, Due<K>>();
  /** Keys in work; the value holds the key again where it was added meanwhile, and since when. */
  const working = new Map<string, Due<K> | undefined>();
  /**
   * A key has one timer, as a rule. One more is set for each shorter wait: what is left of the ones before cannot be
   * told from a clock that may be set. The first that fires ends them all.
   */
  const timers = new Map<string, { readonly delayMs: number; readonly cancel: () => void }[]>();
  const failureCounts = new Map<string, number>();
  const waiters = new Set<(key: K | undefined) => void>();
  let closed = false;
  const drained: (() => void)[] = [];

  const depth = (): number => queued.size;

  function cancelTimer(id: string): void {
    for (const { cancel } of timers.get(id) ?? []) cancel();
    timers.delete(id);
  }

  function next(): Due<K> | undefined {
    let first = firsts.shift() ?? due.shift();
    while (first !== undefined && queued.get(first.id) !== first) first = due.shift();
    if (first === undefined) return undefined;
    queued.delete(first.id);
    working.set(first.id, undefined);
    observer?.depth(depth());
    observer?.taken(Math.max(0, clock.now() - first.sinceMs));
    return first;
  }

  function enqueue(item: Due<K>): void {
    (item.first ? firsts : due).push(item);
    queued.set(item.id, item);
    observer?.depth(depth());
    const [waiter] = waiters;
    if (waiter === undefined) return;
    waiters.delete(waiter);
    waiter(next()?.key);
  }

  function add(key: K, first = false): void {
    if (closed) return;
    const id = idOf(key);
    cancelTimer(id);
    const present = queued.get(id) ?? working.get(id);
    if (present !== undefined && (present.first || !first)) return;
    const item = { id, key, sinceMs: present?.sinceMs ?? clock.now(), first };
    if (working.has(id)) working.set(id, item);
    else enqueue(item);
  }

  function addAfter(key: K, delayMs: number): void {
    if (closed) return;
    if (delayMs <= 0) return add(key);
    const id = idOf(key);
    if (queued.has(id) || working.get(id) !== undefined) return;
    const present = timers.get(id);
    if (present?.some(timer => timer.delayMs <= delayMs) === true) return;
    const timer = { delayMs, cancel: clock.after(delayMs, () => add(key)) };
    // Not pushed into an empty list, which then has room for sixteen more: there are as many timers as certificates.
    if (present === undefined) timers.set(id, [timer]);
    else present.push(timer);
  }

  return {
    add,
    addAfter,
    addRateLimited(key, mostMs = Number.POSITIVE_INFINITY) {
      const id = idOf(key);
      const failures = (failureCounts.get(id) ?? 0) + 1;
      failureCounts.set(id, failures);
      const delayMs = jittered(Math.min(mostMs, backoffDelayMs(backoff, failures)), random);
      observer?.retried();
      addAfter(key, delayMs);
      return delayMs;
    },
    forget: key => void failureCounts.delete(idOf(key)),
    failures: key => failureCounts.get(idOf(key)) ?? 0,
    take(signal) {
      if (closed || signal?.aborted === true) return Promise.resolve(undefined);
      const first = next();
      if (first !== undefined) return Promise.resolve(first.key);
      return new Promise(resolve => {
        const waiter = (key: K | undefined): void => {
          signal?.removeEventListener('abort', giveUp);
          resolve(key);
        };
        const giveUp = (): void => {
          if (waiters.delete(waiter)) resolve(undefined);
        };
        waiters.add(waiter);
        signal?.addEventListener('abort', giveUp, { once: true });
      });
    },
    done(key) {
      const id = idOf(key);
      const again = working.get(id);
      working.delete(id);
      if (again !== undefined && !closed) enqueue(again);
      if (closed && working.size === 0) for (const resolve of drained.splice(0)) resolve();
    },
    get depth() {
      return depth();
    },
    get inWork() {
      return working.size;
    },
    get delayed() {
      return timers.size;
    },
    shutDown() {
      closed = true;
      for (const { cancel } of [...timers.values()].flat()) cancel();
      timers.clear();
      due = new Line();
      firsts = new Line();
      queued.clear();
      failureCounts.clear();
      observer?.depth(0);
      const resting = [...waiters];
      waiters.clear();
      for (const waiter of resting) waiter(undefined);
      return working.size === 0 ? Promise.resolve() : new Promise(resolve => drained.push(resolve));
    },
  };
}
