import type { LookupFunction } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { Endpoint, UpstreamTls } from '../compile/table.ts';
import type { WriteMemory } from '../http1/write-memory.ts';
import type { TimerWheel } from '../timers/timer-wheel.ts';
import type { TurnQueue } from '../timers/turn-queue.ts';
import { type ConnectionHome, Http1Connection } from './http1-connection.ts';

/** Idle connections that are kept to one endpoint. */
const maxIdle = 64;

/** What the pools of one worker share. */
export interface PoolSurroundings {
  readonly lookup: LookupFunction;
  readonly wheel: TimerWheel;
  readonly scratch: Buffer;
  readonly memory: WriteMemory;
  readonly longReads: TurnQueue;
  /** Its last connection has gone. */
  readonly emptied: (pool: Http1Pool) => void;
}

/** The connections to one endpoint that speak TLS in one way, or none. The one that was used last is taken first. */
export class Http1Pool implements ConnectionHome {
  readonly endpoint: Endpoint;
  readonly tls: UpstreamTls | undefined;
  readonly context: SecureContext | undefined;
  readonly lookup: LookupFunction;
  readonly wheel: TimerWheel;
  readonly memory: WriteMemory;
  readonly longReads: TurnQueue;
  session: Buffer | undefined = undefined;
  /** No connection is kept any more. */
  retired = false;
  readonly #scratch: Buffer;
  readonly #emptied: PoolSurroundings['emptied'];
  readonly #idle: Http1Connection[] = [];
  readonly #all = new Set<Http1Connection>();

  constructor(
    endpoint: Endpoint,
    tls: UpstreamTls | undefined,
    context: SecureContext | undefined,
    { lookup, wheel, scratch, memory, longReads, emptied }: PoolSurroundings,
  ) {
    this.endpoint = endpoint;
    this.tls = tls;
    this.context = context;
    this.lookup = lookup;
    this.wheel = wheel;
    this.memory = memory;
    this.longReads = longReads;
    this.#scratch = scratch;
    this.#emptied = emptied;
  }

  /** No connection is open. */
  get empty(): boolean {
    return this.#all.size === 0;
  }

  /** An idle connection, or a new one. */
  take(): Http1Connection {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    const made = new Http1Connection(this, this.#scratch);
    this.#all.add(made);
    return made;
  }

  idle(connection: Http1Connection): boolean {
    if (this.retired || this.#idle.length >= maxIdle) return false;
    this.#idle.push(connection);
    return true;
  }

  gone(connection: Http1Connection): void {
    this.#all.delete(connection);
    const at = this.#idle.lastIndexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    if (this.empty && !this.retired) this.#emptied(this);
  }

  /** Ends idle connections now, and the others when they would become idle. */
  retire(): void {
    this.retired = true;
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  /** Cuts all connections. */
  close(): void {
    this.retire();
    for (const connection of this.#all) connection.destroy();
  }
}
