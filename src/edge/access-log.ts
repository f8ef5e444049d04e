/** One request as the access log tells of it. The query is left out: it may hold tokens. */
export interface AccessLogEntry {
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
  readonly method: string;
  readonly host: string;
  /** Without the query. */
  readonly path: string;
  /** `1.0`, `1.1` or `2`. */
  readonly protocol: string;
  /** 0 where the client went away before an answer. */
  readonly status: number;
  /** Of the request's body and of the answer's. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly durationMs: number;
  readonly clientAddress: string;
  readonly secure: boolean;
  readonly tlsVersion: string | undefined;
  readonly requestId: string | undefined;
  readonly referer: string | undefined;
  readonly userAgent: string | undefined;
  /** `namespace/name`, or `''` where no route matched. */
  readonly ingress: string;
  /** `address:port`. */
  readonly upstream: string | undefined;
  readonly upstreamMs: number | undefined;
  /** Why the edge answered by itself. */
  readonly reason: string | undefined;
}

/** Where the lines of the access log go. */
export interface AccessLog {
  /** Writes a line, soon. Never throws. */
  write(entry: AccessLogEntry): void;
}

/** How lines are written: one JSON object each, or a text in which `$name` stands for values. */
export type AccessLogFormat =
  | { readonly kind: 'json' }
  | { readonly kind: 'text'; readonly template: string };
