import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { Worker } from './worker.ts';

/** Runs this process, which was forked by a WorkerPool, as a worker until it is drained or its main process is gone. */
export function runWorker(clock: Clock): void {
  const send = (message: FromWorker): Promise<void> =>
    new Promise((resolve, reject) => {
      if (process.send === undefined || !process.connected) reject(new Error('the main process is gone'));
      else process.send(message, undefined, {}, error => (error === null ? resolve() : reject(error)));
    });
  const worker = new Worker({ clock, send, end: () => process.exit(0) });
  // Ctrl-C reaches every process of the terminal, and some supervisors signal every process of a service: it is the main
  // process that says when to drain.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
  process.on('SIGHUP', () => {});
  process.on('disconnect', () => void worker.drain());
  const failed = (thrown: unknown): void => {
    const fields = { error: messageOf(thrown), stack: thrown instanceof Error ? thrown.stack : undefined };
    const exit = (): void => process.exit(1);
    send({ kind: 'log', level: 'error', message: 'a worker of the edge failed', fields }).then(exit, exit);
  };
  process.on('uncaughtException', failed);
  process.on('unhandledRejection', failed);
  process.on('message', (message, handle) => worker.receive(message as ToWorker, handle));
}
