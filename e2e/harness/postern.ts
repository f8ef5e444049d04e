import { spawn } from 'node:child_process';
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

/** What a command of Postern printed, and its exit status. */
export interface PosternAnswer {
  readonly status: number | NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of Postern to its end: the first argument names it. */
export function askPostern(args: readonly string[], timeoutMs = 20_000): Promise<PosternAnswer> {
  return new Promise((resolve, reject) => {
    const child = spawn(posternBinary, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ status: code ?? signal, stdout, stderr }));
  });
}
