import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../src/core/errors.ts';

const firstPauseMs = 50;
const longestPauseMs = 500;
/** Looking costs the servers something: what takes long is looked at less often, and seen by this share of its time later. */
const pauseShare = 0.1;
const logTailBytes = 4_000;

export interface EventuallyOptions {
  /** Default 30 s. */
  readonly timeoutMs?: number | undefined;
  /** A log whose end is part of the error. */
  readonly logFile?: string | undefined;
}

/** Asks `check` again and again until it gives a value, and gives that; its errors count as none. Rejects when time is up. */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | undefined | false> | T | undefined | false,
  { timeoutMs = 30_000, logFile }: EventuallyOptions = {},
): Promise<T> {
  const startedMs = performance.now();
  const deadline = startedMs + timeoutMs;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const value = await check();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      last = error;
    }
    const pauseMs = (performance.now() - startedMs) * pauseShare;
    await sleep(Math.min(longestPauseMs, Math.max(firstPauseMs, pauseMs)));
  }
  const log =
    logFile === undefined
      ? ''
      : `\n${logFile} ends with:\n${(await readFile(logFile, 'utf8')).slice(-logTailBytes)}`;
  throw new Error(
    `not within ${timeoutMs} ms: ${what}${last === undefined ? '' : ` (last: ${messageOf(last)})`}${log}`,
  );
}
