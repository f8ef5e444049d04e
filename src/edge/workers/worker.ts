import type { Socket } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import { messageOf, PosternError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { AccessLogWriter } from '../access-log-writer.ts';
import { emptyTable, type RoutingTable } from '../compile/table.ts';
import { createEngine } from '../create-engine.ts';
import type { Engine, EngineAddresses } from '../engine.ts';
import { MetricCounters } from '../metric-counters.ts';
import { UpstreamFailures } from '../upstream-failures.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { changedTable } from './table-changes.ts';
import { fromWire } from './wire.ts';

const reportIntervalMs = 1_000;

export interface WorkerOptions {
  readonly clock: Clock;
  /** Gives a message to the main process; resolves when it is on its way, rejects where that process is gone. */
  send(message: FromWorker): Promise<void>;
  /** The worker has drained. */
  end(): void;
}

/** The worker's side: an engine that is told by messages what to do. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #counters = new MetricCounters();
  readonly #failures = new UpstreamFailures();
  /** What is being received, in parts, and what is in force. */
  #arriving: RoutingTable = emptyTable;
  #table: RoutingTable = emptyTable;
  #engine: Engine | undefined;
  #accessLog: AccessLogWriter | undefined;
  #drainMs = 0;
  /** Where to listen, once there is a table. */
  #addresses: EngineAddresses | undefined;
  #isApplied = false;
  #ending: Promise<void> | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  receive(message: ToWorker, handle: unknown): void {
    switch (message.kind) {
      case 'start':
        this.#start(message);
        break;
      case 'table':
        this.#arriving = changedTable(this.#arriving, fromWire(message.changes));
        if (message.version === undefined) break;
        this.#table = this.#arriving;
        this.#engine?.tableChanged();
        this.#isApplied = true;
        this.#tell({ kind: 'applied', version: message.version });
        void this.#listen();
        break;
      case 'listen':
        this.#addresses = message.addresses;
        void this.#listen();
        break;
      case 'connection':
        if (handle !== undefined) this.#engine?.adopt(handle as Socket, message.secure);
        break;
      case 'ticketKeys':
        this.#engine?.setTicketKeys(Buffer.from(message.keys));
        break;
      case 'areYouThere':
        this.#tell({ kind: 'alive' });
        break;
      case 'drain':
        void this.drain(message.drainMs);
    }
  }

  /** Serves what is under way, and ends. Also where the main process is gone. */
  drain(drainMs = this.#drainMs): Promise<void> {
    this.#ending ??= this.#drain(drainMs);
    return this.#ending;
  }

  async #drain(drainMs: number): Promise<void> {
    await this.#engine?.stop(drainMs);
    this.#accessLog?.flush();
    const metrics = this.#counters.take();
    // Messages keep their order: when this one is on its way, so are all before it.
    await this.#options.send({ kind: 'report', metrics, failures: this.#failures.take() }).catch(() => {});
    this.#options.end();
  }

  #tell(message: FromWorker): void {
    // Where the main process is gone, the worker learns it by the end of the channel.
    this.#options.send(message).catch(() => {});
  }

  #report(): void {
    const metrics = this.#counters.take();
    const failures = this.#failures.take();
    if (metrics !== undefined || failures.length > 0) this.#tell({ kind: 'report', metrics, failures });
  }

  #start({ settings, fallback, ticketKeys, accessLog, drainMs }: Extract<ToWorker, { kind: 'start' }>): void {
    const { clock } = this.#options;
    this.#drainMs = drainMs;
    if (accessLog !== undefined) {
      this.#accessLog = new AccessLogWriter(accessLog, clock, text =>
        this.#tell({ kind: 'accessLog', text }),
      );
    }
    this.#engine = createEngine({
      settings,
      fallback,
      ticketKeys: Buffer.from(ticketKeys),
      table: () => this.#table,
      starting: () => undefined,
      upstreamFailed: (route, backend, failure) => this.#failures.add(route, backend, failure),
      metrics: this.#counters,
      accessLog: this.#accessLog,
      logger: this.#logger(),
      clock,
    });
    const report = (): void => {
      this.#report();
      clock.after(reportIntervalMs, report);
    };
    clock.after(reportIntervalMs, report);
  }

  async #listen(): Promise<void> {
    const addresses = this.#addresses;
    if (addresses === undefined || !this.#isApplied) return;
    this.#addresses = undefined;
    try {
      await this.#engine?.listen(addresses, true);
      this.#tell({ kind: 'listening' });
    } catch (error) {
      const code = error instanceof PosternError ? error.code : undefined;
      this.#tell({ kind: 'failed', code, message: messageOf(error) });
    }
  }

  /** Lines go to the main process, which knows how they are written. */
  #logger(): Logger {
    const at =
      (level: 'debug' | 'info' | 'warn' | 'error'): Logger['info'] =>
      (message, fields) =>
        this.#tell({ kind: 'log', level, message, fields });
    const logger: Logger = {
      debug: () => {},
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: () => logger,
    };
    return logger;
  }
}
