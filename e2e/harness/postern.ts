import { join } from 'node:path';
import { type ServerProcess, startServer } from './server-process.ts';

/** The compiled program, as a user starts it. */
export const posternBinary = join(import.meta.dirname, '../../bin/postern');

export interface PosternOptions {
  readonly args: readonly string[];
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `postern run` as a process of its own; `make build` must have been run. */
export function startPostern({ args, logFile, env = {} }: PosternOptions): ServerProcess {
  return startServer({ command: posternBinary, args: ['run', ...args], logFile, env });
}

/** Tells Postern to end, and waits until it has. Rejects where it takes longer than `timeoutMs`. */
export async function stopPostern(postern: ServerProcess, timeoutMs = 25_000): Promise<void> {
  if (!postern.isRunning()) return;
  postern.signal('SIGTERM');
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`postern did not end within ${timeoutMs} ms; see ${postern.logFile}`)),
    timeoutMs,
  );
  try {
    await Promise.race([postern.exited, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
