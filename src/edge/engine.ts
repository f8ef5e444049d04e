import type { Socket } from 'node:net';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { AccessLog } from './access-log.ts';
import type { Backend, Route, RoutingTable } from './compile/table.ts';
import type { EdgeLimits } from './limits.ts';
import type { ListenAddress } from './listen-address.ts';
import type { EdgeMetrics } from './metrics.ts';
import type { PolicySettings } from './policy/policy-settings.ts';
import type { CertificateWithKey } from './tls/default-certificate.ts';
import type { ServerTlsSettings } from './tls/tls-settings.ts';
import type { UpstreamFailure } from './upstream/failure.ts';

/** What an engine is told by flags. Plain data, so that it can be sent to another process. */
export interface EngineSettings {
  /** The ports as clients see them, for X-Forwarded-Port. */
  readonly publicPorts: { readonly http: number; readonly https: number };
  readonly limits: EdgeLimits;
  readonly timeouts: EdgeTimeouts;
  readonly tls: ServerTlsSettings;
  readonly policy: PolicySettings;
  /** Each connection must begin with a PROXY header, from within the trusted ranges. */
  readonly proxyProtocol: boolean;
  /** Upstreams on loopback are allowed. */
  readonly standalone: boolean;
}

/** Time limits, in milliseconds. */
export interface EdgeTimeouts {
  readonly connectMs: number;
  /** Silence of an upstream, or of a client that sends a body. */
  readonly idleMs: number;
  /** From the first byte of a request's head to its last. */
  readonly headMs: number;
  /** From a connection's beginning to the end of its TLS handshake. */
  readonly handshakeMs: number;
  /** An idle connection of a client. */
  readonly keepAliveMs: number;
  /** Silence on a connection that has changed protocols. */
  readonly tunnelMs: number;
}

export const defaultTimeouts: EdgeTimeouts = Object.freeze({
  connectMs: 5_000,
  idleMs: 60_000,
  headMs: 30_000,
  handshakeMs: 15_000,
  keepAliveMs: 75_000,
  tunnelMs: 3_600_000,
});

/** What an engine stands on. */
export interface EngineParts {
  readonly settings: EngineSettings;
  readonly table: () => RoutingTable;
  /** Undefined once there is a table; until then connections are accepted and wait for it. */
  starting(): Promise<void> | undefined;
  /** The certificate for names that have none of their own, where the table has none for them. */
  readonly fallback: CertificateWithKey;
  /** 48 secret bytes that all engines behind one address share. */
  readonly ticketKeys: Buffer;
  /** An upstream failed a request of this route. */
  upstreamFailed(route: Route, backend: Backend, failure: UpstreamFailure): void;
  readonly metrics: EdgeMetrics;
  readonly accessLog: AccessLog | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Where an engine listens, once it does. Undefined for nowhere. */
export interface EngineAddresses {
  readonly http: ListenAddress | undefined;
  readonly https: ListenAddress | undefined;
}

/**
 * What moves the bytes: terminates TLS and HTTP, asks `decide` what becomes of each request, and does it. One runs in each
 * worker, or in the main process where there are none.
 */
export interface Engine {
  /**
   * Resolves once every listener is bound. Rejects with EDGE_LISTEN_FAILED, naming the address. With `shared`, other
   * processes listen at the same address, and the system divides the connections among them (SO_REUSEPORT).
   */
  listen(addresses: EngineAddresses, shared: boolean): Promise<EngineAddresses>;
  /** Takes a connection that somebody else accepted. */
  adopt(socket: Socket, secure: boolean): void;
  /** `table` of the parts gives another one from now on. */
  tableChanged(): void;
  setTicketKeys(keys: Buffer): void;
  /**
   * Accepts nothing more, closes idle connections, and lets requests under way end; what is left after `drainMs` is
   * cut. Resolves when nothing is left.
   */
  stop(drainMs: number): Promise<void>;
}
