import type { Route } from './compile/table.ts';

/**
 * Where an engine's measurements go. Calls are cheap, synchronous and never throw; they are made for each request, so
 * nothing is to be made for them that does not exist already.
 */
export interface EdgeMetrics {
  /** A request was answered or given up. `status` is 0 where the client went before the answer began. */
  request(route: Route | undefined, status: number, secure: boolean, durationMs: number): void;
  /** `code` is one of a small set: errors of Node and EDGE_*. */
  upstreamError(route: Route, code: string): void;
  /** `version` as `TLSv1.3`. */
  handshake(version: string, resumed: boolean): void;
  handshakeFailed(): void;
  /** A request, or a connection, that was refused: malformed, ambiguous, beyond a limit. `reason` is one of a small set. */
  refused(reason: string): void;
  /** Client connections that were opened (1) or closed (-1). */
  connections(change: 1 | -1): void;
}

/** Measures nothing. */
export const noEdgeMetrics: EdgeMetrics = Object.freeze({
  request: () => {},
  upstreamError: () => {},
  handshake: () => {},
  handshakeFailed: () => {},
  refused: () => {},
  connections: () => {},
});
