import { type ChildProcess, fork, type SendHandle } from 'node:child_process';
import type { RoutingTable } from '../compile/table.ts';
import { emptyTable } from '../compile/table.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import type { TableParts } from './table-parts.ts';

export interface WorkerListener {
  message(message: FromWorker): void;
  /** The process has ended. */
  ended(code: number | null, signal: NodeJS.Signals | null): void;
}

/**
 * V8 does not collect old garbage before there is so much of it and of memory that was read into, in MiB. By itself it would
 * begin at some 26, which uploads fill every few hundred requests, and collecting would take a third of all CPU time.
 */
const oldSpaceMiB = 96;

/**
 * V8 learns where objects are made that live long, and makes the next ones straight among the old. While a table of thousands
 * arrives, everything seems to live long; the objects of requests were made there ever after, and kept what they named from
 * being collected with the young.
 */
const flags = [`--initial-old-space-size=${oldSpaceMiB}`, '--no-allocation-site-pretenuring'];

/** One worker process, from the main process's side. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  /** The table that all messages so far lead to. */
  #sent: RoutingTable = emptyTable;
  #wanted: { readonly table: RoutingTable; readonly version: number } | undefined;
  #isSending = false;
  readonly #parts: TableParts;

  constructor(entry: URL, parts: TableParts, listener: WorkerListener) {
    this.#parts = parts;
    // Where the main process gives each large buffer back at once, a proxy is to use its own again for the next read.
    this.#child = fork(entry, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: [...process.execArgv, ...flags],
      env: { ...process.env, MALLOC_MMAP_THRESHOLD_: undefined, MALLOC_TRIM_THRESHOLD_: undefined },
    });
    this.#child.on('message', message => listener.message(message as FromWorker));
    let isOver = false;
    const over = (code: number | null, signal: NodeJS.Signals | null): void => {
      if (isOver) return;
      isOver = true;
      listener.ended(code, signal);
    };
    this.#child.once('exit', over);
    // It could not be started, or a message could not be sent: 'exit' may never come.
    this.#child.on('error', () => {
      if (this.#child.pid === undefined) over(null, null);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves when the message is on its way, or cannot be sent any more. */
  send(message: ToWorker, handle?: SendHandle): Promise<void> {
    return new Promise(resolve => {
      if (!this.#child.connected) resolve();
      else this.#child.send(message, handle, {}, () => resolve());
    });
  }

  /** Leads the worker to this table. Tables that another one overtakes are left out. */
  publish(table: RoutingTable, version: number): void {
    this.#wanted = { table, version };
    if (!this.#isSending) void this.#sendTables();
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async #sendTables(): Promise<void> {
    this.#isSending = true;
    while (this.#wanted !== undefined) {
      const { table, version } = this.#wanted;
      this.#wanted = undefined;
      const parts = this.#parts.between(this.#sent, table);
      this.#sent = table;
      for (const [index, changes] of parts.entries()) {
        const isLast = index === parts.length - 1;
        const sent = this.send({
          kind: 'table',
          changes,
          version: isLast ? version : undefined,
        });
        // The main process has other work between the parts of a large table.
        if (!isLast) await sent;
      }
    }
    this.#isSending = false;
  }
}
