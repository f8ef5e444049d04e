/** One request, answered or given up. */
export interface RequestFacts {
  /** `2xx` and so on; `aborted` where the client went before the answer began. */
  readonly statusClass: string;
  readonly secure: boolean;
  readonly durationMs: number;
  /** `namespace/name`, or `''` where no route matched. */
  readonly ingress: string;
}

/** Where the edge's measurements go. Calls are cheap, synchronous and never throw. */
export interface EdgeMetrics {
  request(facts: RequestFacts): void;
  /** `code` is one of a small set: errors of Node and EDGE_*. */
  upstreamError(ingress: string, code: string): void;
  handshakeFailed(): void;
  /** A request that was refused as malformed or ambiguous. */
  refused(reason: string): void;
  compiled(facts: { readonly durationMs: number; readonly hosts: number; readonly findings: number }): void;
}

/** Measures nothing. */
export const noEdgeMetrics: EdgeMetrics = Object.freeze({
  request: () => {},
  upstreamError: () => {},
  handshakeFailed: () => {},
  refused: () => {},
  compiled: () => {},
});
