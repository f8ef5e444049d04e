import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 40;
const logTailBytes = 3_000;
/** The unit of the times in /proc; USER_HZ is 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

export interface ServerOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** stdout and stderr are appended here. */
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** One server that the test bed has started, and so may end. */
export interface ServerProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  isRunning(): boolean;
  /** How it ended: its exit status, or the signal that ended it; undefined while it runs. */
  exitStatus(): number | NodeJS.Signals | undefined;
  /** CPU time used so far, user and system. */
  cpuSeconds(): number;
  /** Signals the process; for SIGKILL and SIGTERM, `exited` tells when it is gone. */
  signal(signal: NodeJS.Signals): void;
  readonly exited: Promise<void>;
  /**
   * Polls until `check` gives true; its errors count as false.
   * @throws Error with the end of the log, when the server ends or `timeoutMs` are over before that.
   */
  until(what: string, check: () => Promise<boolean>, timeoutMs: number): Promise<void>;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a server. That it is ready is for `until` to find out. */
export function startServer({ command, args, logFile, env }: ServerOptions): ServerProcess {
  const log = openSync(logFile, 'a');
  const child = spawn(command, args, { stdio: ['ignore', log, log], env: { ...process.env, ...env } });
  closeSync(log);
  running.add(child);
  let spawnError: Error | undefined;
  const exited = new Promise<void>(resolve => {
    const gone = () => {
      running.delete(child);
      resolve();
    };
    child.once('exit', gone);
    child.once('error', error => {
      spawnError = error;
      gone();
    });
  });
  const name = basename(command);
  const isRunning = () => running.has(child) && child.exitCode === null && child.signalCode === null;
  const failed = (what: string, cause: unknown) =>
    new Error(
      `${name} ${what}${spawnError ? `: ${spawnError.message}` : ''}\n${logFile} ends with:\n${tailOf(logFile)}`,
      {
        cause,
      },
    );
  return {
    name,
    pid: child.pid ?? -1,
    logFile,
    isRunning,
    exitStatus: () => child.exitCode ?? child.signalCode ?? undefined,
    cpuSeconds: () => cpuSecondsOf(child.pid ?? -1),
    signal: signal => void child.kill(signal),
    exited,
    async until(what, check, timeoutMs) {
      const deadline = performance.now() + timeoutMs;
      let last: unknown;
      while (performance.now() < deadline) {
        if (!isRunning()) throw failed(`ended (${child.exitCode ?? child.signalCode}) before: ${what}`, last);
        try {
          if (await check()) return;
        } catch (error) {
          last = error;
        }
        await sleep(pollMs);
      }
      throw failed(`took more than ${timeoutMs} ms: ${what} (last: ${String(last)})`, last);
    },
  };
}

/** Ends a server for good, at once: its state is the test bed's to throw away. */
export async function killServer(server: ServerProcess): Promise<void> {
  if (server.isRunning()) server.signal('SIGKILL');
  await server.exited;
}

function tailOf(file: string): string {
  return readFileSync(file, 'utf8').slice(-logTailBytes);
}

/** Fields 14 and 15 of /proc/PID/stat, proc(5); counted after the name, which may hold spaces. */
function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
