import type { Server, Socket } from 'node:net';
import type { RoutingTable } from '../compile/table.ts';
import type { EngineAddresses } from '../engine.ts';
import type { EngineHost } from '../engine-host.ts';
import type { HostParts } from '../host-parts.ts';
import type { ListenAddress } from '../listen-address.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { mostUnanswered, Pulse } from './pulse.ts';
import { canSharePorts, listenForOthers, reservePort } from './reserve-port.ts';
import { RestartDelay } from './restart-delay.ts';
import { TableParts } from './table-parts.ts';
import { WorkerProcess } from './worker-process.ts';

export interface WorkerPoolOptions extends HostParts {
  readonly workers: number;
  /** The program of a worker. */
  readonly entry: URL;
  readonly drainMs: number;
  /** False: connections are accepted here and given to the workers in turn, as where ports cannot be shared. */
  readonly sharePorts: boolean | undefined;
  /** How long a worker may leave questions unanswered before it is replaced. */
  readonly silenceMs: number;
}

interface Seat {
  readonly number: number;
  readonly delay: RestartDelay;
  pulse: Pulse;
  process: WorkerProcess | undefined;
  /** The version of the table that it serves by. */
  applied: number;
  listening: boolean;
  cancelRestart: (() => void) | undefined;
}

/** How long after the end of its drain a worker is killed that has not ended. */
const overdueMs = 2_000;

/**
 * The engine in worker processes. One that ends is replaced, after a pause that grows while it does not live long; a new
 * one gets the whole table before it listens. One that hangs is ended.
 */
export function createWorkerPool(options: WorkerPoolOptions): EngineHost {
  return new WorkerPool(options);
}

class WorkerPool implements EngineHost {
  readonly #options: WorkerPoolOptions;
  readonly #seats: readonly Seat[];
  readonly #parts = new TableParts();
  readonly #serving = Promise.withResolvers<void>();
  #ticketKeys: Buffer;
  #table: { readonly table: RoutingTable; readonly version: number } | undefined;
  #addresses: EngineAddresses = { http: undefined, https: undefined };
  /** Where ports are not shared. */
  readonly #servers: Server[] = [];
  #waiting: { socket: Socket; secure: boolean }[] = [];
  #turn = 0;
  #stopping: { readonly drainMs: number; ended(): void } | undefined;
  readonly #killAll = (): void => {
    for (const { process } of this.#seats) process?.kill();
  };

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#ticketKeys = options.ticketKeys;
    this.#seats = Array.from({ length: options.workers }, (_, index) => ({
      number: index + 1,
      delay: new RestartDelay(options.clock),
      pulse: new Pulse(),
      process: undefined,
      applied: 0,
      listening: false,
      cancelRestart: undefined,
    }));
  }

  async listen(addresses: EngineAddresses): Promise<EngineAddresses> {
    const { http, https } = addresses;
    const shared = this.#options.sharePorts ?? (await canSharePorts(http ?? https ?? anyAddress));
    try {
      const taken = shared
        ? { http: http && (await reservePort(http)), https: https && (await reservePort(https)) }
        : { http: await this.#accept(http, false), https: await this.#accept(https, true) };
      this.#addresses = shared ? taken : { http: undefined, https: undefined };
      // A second signal ends this process at once; a worker would drain first.
      process.on('exit', this.#killAll);
      for (const seat of this.#seats) this.#fill(seat);
      this.#watch();
      return taken;
    } catch (error) {
      for (const server of this.#servers) server.close();
      throw error;
    }
  }

  publish(table: RoutingTable, version: number): void {
    const isFirst = this.#table === undefined;
    this.#table = { table, version };
    for (const seat of this.#seats) {
      seat.process?.publish(table, version);
      if (isFirst) this.#tellToListen(seat);
    }
  }

  serving(): Promise<void> {
    return this.#serving.promise;
  }

  problem(): string | undefined {
    if (this.#table === undefined) return 'there is no routing table yet';
    const missing = this.#seats.filter(({ listening, applied }) => !listening || applied === 0).length;
    return missing === 0 ? undefined : `${missing} of ${this.#seats.length} workers do not serve yet`;
  }

  setTicketKeys(keys: Buffer): void {
    this.#ticketKeys = keys;
    this.#broadcast({ kind: 'ticketKeys', keys });
  }

  async stop(drainMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stopping = { drainMs, ended: resolve };
    for (const server of this.#servers) server.close();
    for (const { socket } of this.#waiting) socket.destroy();
    for (const seat of this.#seats) seat.cancelRestart?.();
    this.#broadcast({ kind: 'drain', drainMs });
    // On the system's own time: an injected clock may stand still, and processes must not be left.
    const overdue = setTimeout(this.#killAll, drainMs + overdueMs);
    if (this.#seats.some(seat => seat.process !== undefined)) await promise;
    clearTimeout(overdue);
    process.off('exit', this.#killAll);
    this.#serving.resolve();
  }

  #broadcast(message: ToWorker): void {
    for (const seat of this.#seats) void seat.process?.send(message);
  }

  /** Asks each worker again and again whether it is there; one that hangs is ended, and so replaced. */
  #watch(): void {
    const { clock, silenceMs, logger } = this.#options;
    clock.after(silenceMs / mostUnanswered, () => {
      if (this.#stopping !== undefined) return;
      for (const { number, process, pulse } of this.#seats) {
        if (process === undefined) continue;
        if (pulse.ask()) {
          void process.send({ kind: 'areYouThere' });
          continue;
        }
        logger.error('a worker of the edge does not answer, and is ended', {
          worker: number,
          pid: process.pid,
        });
        process.kill();
      }
      this.#watch();
    });
  }

  #fill(seat: Seat): void {
    seat.cancelRestart = undefined;
    const { settings, fallback, accessLog, drainMs, entry, measurements, logger } = this.#options;
    seat.applied = 0;
    seat.listening = false;
    seat.delay.started();
    seat.pulse = new Pulse();
    measurements.workerStarted();
    const worker = new WorkerProcess(entry, this.#parts, {
      message: message => this.#hear(seat, message),
      ended: (code, signal) => this.#ended(seat, code, signal),
    });
    seat.process = worker;
    logger.info('a worker of the edge started', { worker: seat.number, pid: worker.pid });
    void worker.send({
      kind: 'start',
      settings,
      fallback,
      ticketKeys: this.#ticketKeys,
      accessLog,
      drainMs,
    });
    if (this.#table === undefined) return;
    worker.publish(this.#table.table, this.#table.version);
    this.#tellToListen(seat);
  }

  /** Its table goes before: a worker listens when it has been applied. */
  #tellToListen(seat: Seat): void {
    void seat.process?.send({ kind: 'listen', addresses: this.#addresses });
  }

  #hear(seat: Seat, message: FromWorker): void {
    const { logger, measurements, writeAccessLog } = this.#options;
    switch (message.kind) {
      case 'listening':
        seat.listening = true;
        this.#giveWaiting();
        if (this.problem() !== undefined) break;
        this.#parts.forget();
        this.#serving.resolve();
        break;
      case 'alive':
        seat.pulse.answered();
        break;
      case 'applied':
        seat.applied = message.version;
        break;
      case 'failed':
        logger.error('a worker of the edge cannot listen, and is started again', { error: message.message });
        seat.process?.kill();
        break;
      case 'report':
        if (message.metrics !== undefined) measurements.counted(seat.number, message.metrics);
        for (const failure of message.failures) this.#options.upstreamFailed(failure);
        break;
      case 'accessLog':
        writeAccessLog(message.text);
        break;
      case 'log':
        logger[message.level](message.message, { ...message.fields, worker: seat.number });
    }
  }

  #ended(seat: Seat, code: number | null, signal: NodeJS.Signals | null): void {
    const { logger, measurements, clock } = this.#options;
    seat.process = undefined;
    seat.listening = false;
    if (this.#stopping !== undefined) {
      if (this.#seats.every(({ process }) => process === undefined)) this.#stopping.ended();
      return;
    }
    measurements.workerLost(seat.number);
    const delayMs = seat.delay.next();
    logger.error('a worker of the edge ended; another one takes its place', {
      worker: seat.number,
      ...(signal === null ? { code } : { signal }),
      inMs: delayMs,
    });
    seat.cancelRestart = clock.after(delayMs, () => this.#fill(seat));
  }

  async #accept(address: ListenAddress | undefined, secure: boolean): Promise<ListenAddress | undefined> {
    if (address === undefined) return undefined;
    const accepted = await listenForOthers(address, socket => {
      this.#waiting.push({ socket, secure });
      if (this.#waiting.length > mostWaiting) this.#waiting.shift()?.socket.destroy();
      this.#giveWaiting();
    });
    this.#servers.push(accepted.server);
    return accepted.address;
  }

  /** Gives connections to the workers in turn; while none serves, they wait. */
  #giveWaiting(): void {
    const serving = this.#seats.filter(({ listening }) => listening);
    if (serving.length === 0) return;
    for (const { socket, secure } of this.#waiting.splice(0)) {
      this.#turn += 1;
      void serving[this.#turn % serving.length]?.process?.send({ kind: 'connection', secure }, socket);
    }
  }
}

const anyAddress: ListenAddress = { host: undefined, port: 0 };
const mostWaiting = 1_024;
