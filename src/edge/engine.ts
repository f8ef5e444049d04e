import type { Logger } from '../core/logger.ts';
import type { Backend, Route } from './compile/table.ts';
import type { Decision } from './http1/node-decide.ts';
import type { ListenAddress } from './listen-address.ts';
import type { EdgeMetrics } from './metrics.ts';
import type { RawHead } from './policy/raw-head.ts';
import type { SniStore } from './tls/sni-store.ts';
import type { Agents } from './upstream/agents.ts';
import type { UpstreamFailure } from './upstream/failure.ts';
import type { RoundRobin } from './upstream/round-robin.ts';

/** What an engine stands on. It holds no table: it asks for each request and each handshake. */
export interface EngineParts {
  /** Where plain HTTP is served; undefined for nowhere. */
  readonly http: ListenAddress | undefined;
  readonly https: ListenAddress | undefined;
  /** The ports as clients see them, for X-Forwarded-Port. */
  readonly publicPorts: { readonly http: number; readonly https: number };
  /** Undefined once there is a table; until then connections are accepted and wait for it. */
  starting(): Promise<void> | undefined;
  /** Pure, and cheap enough to be called for each request. */
  decide(head: RawHead): Decision;
  readonly sni: SniStore;
  readonly agents: Agents;
  readonly roundRobin: RoundRobin;
  readonly timeouts: EdgeTimeouts;
  /** An upstream failed a request of this route. */
  upstreamFailed(route: Route, backend: Backend, failure: UpstreamFailure): void;
  readonly metrics: EdgeMetrics;
  /** One line a request at level info. */
  readonly accessLog: boolean;
  readonly logger: Logger;
}

/** Time limits, in milliseconds. */
export interface EdgeTimeouts {
  readonly connectMs: number;
  /** Silence of an upstream, or of a client that sends a body. */
  readonly idleMs: number;
  /** From the first byte of a request's head to its last. */
  readonly headMs: number;
  /** An idle connection of a client. */
  readonly keepAliveMs: number;
  /** Silence on a connection that has changed protocols. */
  readonly tunnelMs: number;
}

export const defaultTimeouts: EdgeTimeouts = Object.freeze({
  connectMs: 5_000,
  idleMs: 60_000,
  headMs: 30_000,
  keepAliveMs: 75_000,
  tunnelMs: 3_600_000,
});

/** Where an engine listens, once it does. */
export interface EngineAddresses {
  readonly http: ListenAddress | undefined;
  readonly https: ListenAddress | undefined;
}

/**
 * What moves the bytes: terminates HTTP and TLS, asks `decide` what becomes of each request, and does it. The
 * first one is Node's own servers and client.
 */
export interface Engine {
  /** Resolves once every listener is bound. Rejects with EDGE_LISTEN_FAILED, naming the address. */
  listen(): Promise<EngineAddresses>;
  /**
   * Accepts nothing more, closes idle connections, and lets requests under way end; what is left after `drainMs` is
   * cut. Resolves when nothing is left. Called again, it cuts at once.
   */
  stop(drainMs: number): Promise<void>;
}

export type CreateEngine = (parts: EngineParts) => Engine;
