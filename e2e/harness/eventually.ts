import { readFile } from 'node:fs/promises';
import { messageOf } from '../../src/core/errors.ts';

const pollMs = 50;
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
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const value = await check();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      last = error;
    }
    await new Promise(resolve => setTimeout(resolve, pollMs));
  }
  const log =
    logFile === undefined
      ? ''
      : `\n${logFile} ends with:\n${(await readFile(logFile, 'utf8')).slice(-logTailBytes)}`;
  throw new Error(
    `not within ${timeoutMs} ms: ${what}${last === undefined ? '' : ` (last: ${messageOf(last)})`}${log}`,
  );
}
