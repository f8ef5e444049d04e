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
import { watchStreamEnds } from '../http2/end-of-stream.ts';
import type { TimerWheel } from '../timers/timer-wheel.ts';
import { candidateKey } from './candidate.ts';
import { EmptyPools, mostEmptyPools } from './empty-pools.ts';
import { Http2Exchange } from './http2-exchange.ts';
import { Http2UpstreamSession, type SessionHome } from './http2-session.ts';
import { refusedExchange } from './refused-exchange.ts';
import { upstreamContext } from './upstream-context.ts';

/** The sessions to one endpoint that speak TLS in one way, or none. */
interface Pool extends SessionHome {
  readonly sessions: Set<Http2UpstreamSession>;
  readonly empty: boolean;
}

/** Pools by endpoint, and the context they share. */
interface Group {
  readonly tls: UpstreamTls | undefined;
  readonly context: SecureContext | undefined;
  readonly pools: Map<string, Pool>;
}

/** The connections of a worker to all upstreams that speak HTTP/2: in plaintext with prior knowledge, over TLS by ALPN. */
export class Http2Connector implements UpstreamConnector {
  readonly #lookup: LookupFunction;
  readonly #wheel: TimerWheel;
  readonly #plain: Group = { tls: undefined, context: undefined, pools: new Map() };
  readonly #secure = new Map<string, Group>();
  readonly #empty = new EmptyPools<Pool>(mostEmptyPools, pool => this.#forget(pool));

  constructor(lookup: LookupFunction, wheel: TimerWheel) {
    this.#lookup = lookup;
    this.#wheel = wheel;
    watchStreamEnds();
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
    const session = this.#sessionOf(this.#poolOf(group, endpoint), deadlines.connectMs);
    const exchange = new Http2Exchange(session, request, deadlines, listener);
    session.begin(exchange);
    return exchange;
  }

  keep(tlsIds: ReadonlySet<string>): void {
    for (const [id, group] of this.#secure) {
      if (tlsIds.has(id)) continue;
      this.#secure.delete(id);
      for (const session of sessionsOf(group)) session.retire();
    }
    for (const group of this.#groups())
      for (const [key, { sessions }] of group.pools) if (sessions.size === 0) group.pools.delete(key);
  }

  close(): void {
    for (const group of this.#groups()) for (const session of sessionsOf(group)) session.destroy();
  }

  #groups(): Group[] {
    return [this.#plain, ...this.#secure.values()];
  }

  #forget(pool: Pool): void {
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
    const made: Group = { tls, context: upstreamContext(tls), pools: new Map() };
    this.#secure.set(tls.id, made);
    return made;
  }

  #poolOf({ tls, context, pools }: Group, endpoint: Endpoint): Pool {
    const key = candidateKey(endpoint);
    const known = pools.get(key);
    if (known !== undefined) return known;
    const sessions = new Set<Http2UpstreamSession>();
    const made: Pool = {
      endpoint,
      tls,
      context,
      lookup: this.#lookup,
      wheel: this.#wheel,
      resumption: undefined,
      sessions,
      get empty() {
        return sessions.size === 0;
      },
      gone: session => {
        sessions.delete(session);
        if (made.empty) this.#empty.add(made);
      },
    };
    pools.set(key, made);
    return made;
  }

  /** The oldest connection that has room, so that those that a rush brought become idle when it is over. */
  #sessionOf(pool: Pool, connectMs: number): Http2UpstreamSession {
    for (const session of pool.sessions) if (session.takesMore) return session;
    const made = new Http2UpstreamSession(pool, connectMs);
    pool.sessions.add(made);
    return made;
  }
}

function sessionsOf({ pools }: Group): Http2UpstreamSession[] {
  return [...pools.values()].flatMap(({ sessions }) => [...sessions]);
}
