import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { type MallocTrim, mallocTrim } from './malloc-trim.ts';

/** What is known of this process. */
export interface ProcessLoad {
  /** CPU time used so far, in milliseconds. */
  cpuMs(): number;
  /** Memory that the process holds, in bytes, used or not. */
  memoryBytes(): number;
  /** Has V8 give back what nobody uses. Takes about a millisecond for each megabyte in use. */
  collect(): void;
  /** Has the C library give back what was freed. Takes as long as that. */
  trim(): Promise<void>;
}

const everyMs = 10_000;
/** Busier than this, the process is not kept waiting: what it frees it uses again soon. */
const idleShare = 0.1;
/** Less than the greater of both is not worth a collection, which takes the longer the more there is. */
const [leastBytes, leastShare] = [8 * 1024 * 1024, 0.03];
/** What V8 has collected is freed by a thread of its own. */
const freedAfterMs = 1_000;
/** What is remembered for a minute after a burst is garbage by then, and nothing grows by that. */
const onceMoreMs = 80_000;

/**
 * V8 collects when memory is asked for, so that a process that has nothing to do keeps the garbage of its last burst, and of
 * its start, for good; and so does the C library with what was freed. This has both given back once the process has come
 * to rest, and once more when what was remembered of the burst has been forgotten. Ends with `signal`.
 */
export function collectWhenIdle(
  { clock, logger, load = thisProcess() }: { clock: Clock; logger: Logger; load?: ProcessLoad },
  signal: AbortSignal,
): void {
  let cpuBefore = load.cpuMs();
  let bytesAfter = 0;
  let onceMoreInMs = Number.POSITIVE_INFINITY;
  let cancel = (): void => {};
  const lookAgain = (): void => {
    if (!signal.aborted) cancel = clock.after(everyMs, look);
  };
  const look = (): void => {
    const cpuMs = load.cpuMs();
    const isIdle = cpuMs - cpuBefore < everyMs * idleShare;
    cpuBefore = cpuMs;
    const before = load.memoryBytes();
    const hasGrown = before - bytesAfter > Math.max(leastBytes, bytesAfter * leastShare);
    onceMoreInMs -= everyMs;
    if (!isIdle || !(hasGrown || onceMoreInMs <= 0)) {
      lookAgain();
      return;
    }
    onceMoreInMs = hasGrown ? onceMoreMs : Number.POSITIVE_INFINITY;
    load.collect();
    cancel = clock.after(freedAfterMs, () => void trim(before).finally(lookAgain));
  };
  const trim = async (before: number): Promise<void> => {
    await load.trim();
    bytesAfter = load.memoryBytes();
    cpuBefore = load.cpuMs();
    logger.debug('unused memory has been given back', { bytes: before - bytesAfter, left: bytesAfter });
  };
  lookAgain();
  signal.addEventListener('abort', () => cancel(), { once: true });
}

function thisProcess(): ProcessLoad {
  let collect: ((how: object) => void) | undefined;
  let trim: Promise<MallocTrim | undefined> | undefined;
  return {
    cpuMs() {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1_000;
    },
    memoryBytes: () => process.memoryUsage.rss(),
    collect() {
      if (collect === undefined) {
        // The function is there for contexts that are made while the flag is set; scripts do not get it otherwise.
        setFlagsFromString('--expose-gc');
        collect = runInNewContext('gc') as (how: object) => void;
        setFlagsFromString('--no-expose-gc');
      }
      // The flavour that gives pages back to the system.
      collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    },
    async trim() {
      trim ??= mallocTrim();
      (await trim)?.();
    },
  };
}
