import type { LookupFunction } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { Endpoint, UpstreamTls } from '../compile/table.ts';
import type {
  UpstreamConnector,
  UpstreamDeadlines,
  UpstreamExchange,
  UpstreamListener,
  UpstreamRequest,
  UpstreamTarget,
} from '../exchange/ports.ts';
import { WriteMemory } from '../http1/write-memory.ts';
import type { TimerWheel } from '../timers/timer-wheel.ts';
import { TurnQueue } from '../timers/turn-queue.ts';
import { candidateKey } from './candidate.ts';
import { EmptyPools, mostEmptyPools } from './empty-pools.ts';
import { makeScratch } from './http1-connection.ts';
import { Http1Exchange } from './http1-exchange.ts';
import { Http1Pool, type PoolSurroundings } from './http1-pool.ts';
import { refusedExchange } from './refused-exchange.ts';
import { upstreamContext } from './upstream-context.ts';

/** The pools of one way to speak TLS, or of none: they share no connection with others. */
interface Group {
  readonly tls: UpstreamTls | undefined;
  readonly context: SecureContext | undefined;
  readonly pools: Map<string, Http1Pool>;
  /** Endpoints are the same objects from table to table. */
  readonly byEndpoint: WeakMap<Endpoint, Http1Pool>;
}

/** A request's body goes out in pieces of 64 KiB, and a record of TLS. */
const blockBytes = 81_920;
/** Connections that read up to 288 KiB in one turn of the event loop. */
const longReadsEachTurn = 8;

/** The connections of a worker to all upstreams that speak HTTP/1.1. */
export class Http1Connector implements UpstreamConnector {
  readonly #surroundings: PoolSurroundings;
  readonly #plain: Group = newGroup(undefined, undefined);
  readonly #secure = new Map<string, Group>();

  constructor(lookup: LookupFunction, wheel: TimerWheel) {
    const empty = new EmptyPools<Http1Pool>(mostEmptyPools, pool => this.#forget(pool));
    const memory = new WriteMemory(blockBytes);
    const emptied = (pool: Http1Pool): void => empty.add(pool);
    const longReads = new TurnQueue(longReadsEachTurn, 'oldest');
    this.#surroundings = { lookup, wheel, scratch: makeScratch(), memory, longReads, emptied };
  }

  /** How many endpoints are known. */
  get pools(): number {
    return this.#groups().reduce((sum, { pools }) => sum + pools.size, 0);
  }

  open(
    { endpoint, tls }: UpstreamTarget,
    request: UpstreamRequest,
    deadlines: UpstreamDeadlines,
    listener: UpstreamListener,
  ): UpstreamExchange {
    let group: Group;
    try {
      group = tls === undefined ? this.#plain : this.#groupOf(tls);
    } catch (error) {
      return refusedExchange(error, listener);
    }
    const known = group.byEndpoint.get(endpoint);
    const pool = known === undefined || known.retired ? this.#poolOf(group, endpoint) : known;
    const connection = pool.take();
    const exchange = new Http1Exchange(connection, request, deadlines, listener);
    connection.begin(exchange);
    return exchange;
  }

  keep(tlsIds: ReadonlySet<string>): void {
    for (const [id, group] of this.#secure) {
      if (tlsIds.has(id)) continue;
      this.#secure.delete(id);
      for (const pool of group.pools.values()) pool.retire();
    }
    for (const group of this.#groups()) {
      for (const [key, pool] of group.pools) {
        if (!pool.empty) continue;
        group.pools.delete(key);
        pool.retire();
      }
    }
  }

  close(): void {
    for (const group of this.#groups()) for (const pool of group.pools.values()) pool.close();
  }

  #groups(): Group[] {
    return [this.#plain, ...this.#secure.values()];
  }

  #forget(pool: Http1Pool): void {
    pool.retire();
    const { endpoint, tls } = pool;
    const group = tls === undefined ? this.#plain : this.#secure.get(tls.id);
    const key = candidateKey(endpoint);
    if (group?.pools.get(key) !== pool) return;
    group.pools.delete(key);
    if (tls !== undefined && group.pools.size === 0) this.#secure.delete(tls.id);
  }

  #groupOf(tls: UpstreamTls): Group {
    const known = this.#secure.get(tls.id);
    if (known !== undefined) return known;
    const made = newGroup(tls, upstreamContext(tls));
    this.#secure.set(tls.id, made);
    return made;
  }

  #poolOf(group: Group, endpoint: Endpoint): Http1Pool {
    const key = candidateKey(endpoint);
    let pool = group.pools.get(key);
    if (pool === undefined || pool.retired) {
      pool = new Http1Pool(endpoint, group.tls, group.context, this.#surroundings);
      group.pools.set(key, pool);
    }
    group.byEndpoint.set(endpoint, pool);
    return pool;
  }
}

function newGroup(tls: UpstreamTls | undefined, context: SecureContext | undefined): Group {
  return { tls, context, pools: new Map(), byEndpoint: new WeakMap() };
}
