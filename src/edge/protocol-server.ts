import type { Socket } from 'node:net';
import type { Logger } from '../core/logger.ts';
import type { AccessLog } from './access-log.ts';
import type { Backend, Route, RoutingTable } from './compile/table.ts';
import type { EdgeTimeouts } from './engine.ts';
import type { EdgeLimits } from './limits.ts';
import type { EdgeMetrics } from './metrics.ts';
import type { PolicySettings } from './policy/policy-settings.ts';
import type { ConnectionFacts } from './policy/request-head.ts';
import type { UpstreamFailure } from './upstream/failure.ts';

/**
 * Serves the connections of one protocol: `http1/` and `http2/` have one each. Listening, PROXY protocol, TLS and the
 * counting of connections are done before (`accept/`).
 */
export interface ProtocolServer {
  /**
   * Takes over a connection whose first bytes are those of the protocol, TLS done; some may be waiting in its buffer. It has
   * listeners for 'error' and 'close' already, and is destroyed on an error. There is a table by then.
   */
  take(socket: Socket, facts: ConnectionFacts): void;
  /**
   * Idle connections are closed politely (HTTP/1: not before a request that is on its way can have come), the others after the answer that is under way (HTTP/1: `Connection: close`,
   * HTTP/2: GOAWAY, a round trip before the end). Connections that are taken afterwards are served one request. What is left is cut after `withinMs`, by
   * `close`. Called once.
   */
  drain(withinMs: number): void;
  /** Cuts whatever is left. */
  close(): void;
}

/** What a protocol's server and the forwarding stand on, one for each worker. */
export interface ServingParts {
  /** The table in force. A request keeps the one it began with. */
  table(): RoutingTable;
  /** Calls back with each new table from now on: what is kept for what is gone may be let go. */
  onTable(listener: (table: RoutingTable) => void): void;
  /** What the flags say for all routes. */
  readonly policy: PolicySettings;
  readonly limits: EdgeLimits;
  readonly timeouts: EdgeTimeouts;
  /** Standalone: upstreams on loopback are allowed. */
  readonly standalone: boolean;
  /** An upstream failed a request of this route: counted, logged and told on the Ingress by whoever started the worker. */
  upstreamFailed(route: Route, backend: Backend, failure: UpstreamFailure): void;
  readonly metrics: EdgeMetrics;
  /** Undefined: no access log. */
  readonly accessLog: AccessLog | undefined;
  readonly logger: Logger;
}
