/** Upper bounds of the buckets of request durations, in milliseconds; beyond the last there is one more. */
export const durationBucketsMs = [
  1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 60_000,
] as const;

/** Classes of statuses, by their first digit: 0 is a client that went away. */
export const statusClasses = ['aborted', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** Requests by Ingress, in one piece for all of them: thousands may have had some within a second. */
export interface RequestCounts {
  /** `namespace/name`, each once. */
  readonly ingresses: readonly string[];
  /** As many for each of them in turn: by status class over plain HTTP, then over TLS. */
  readonly counts: Float64Array;
}

/** How many counts an Ingress has. */
export const countsOfIngress = statusClasses.length * 2;

/** What an engine counted since the last time, as it goes from a worker to the main process. */
export interface MetricDelta {
  readonly requests: RequestCounts;
  /** Counts by bucket, one more for what is longer than all. */
  readonly durations: Float64Array;
  readonly durationSumMs: number;
  /** By `namespace/name` and code, a tab between. */
  readonly upstreamErrors: ReadonlyMap<string, number>;
  /** By TLS version and whether the session was resumed, a tab between. */
  readonly handshakes: ReadonlyMap<string, number>;
  readonly handshakesFailed: number;
  readonly refused: ReadonlyMap<string, number>;
  /** Open connections now: a state and no difference. */
  readonly connections: number;
}

/** A certificate that the edge serves. */
export interface ServedCertificate {
  /** `namespace/name` of the Secret. */
  readonly secret: string;
  readonly notAfterMs: number;
}

/** What the edge tells of itself, from the main process. Calls are cheap and never throw. */
export interface EdgeMeasurements {
  /** What a worker counted; workers are told apart by numbers. */
  counted(worker: number, delta: MetricDelta): void;
  workerStarted(): void;
  /** It ended without having been told to, or hung and was ended, and another one takes its place. */
  workerLost(worker: number): void;
  compiled(facts: {
    readonly durationMs: number;
    readonly hosts: number;
    readonly findings: number;
    readonly version: number;
  }): void;
  /** Where the certificates in use are read from, at each scrape. */
  certificates(read: () => Iterable<ServedCertificate>): void;
}

/** Measures nothing. */
export const noEdgeMeasurements: EdgeMeasurements = Object.freeze({
  counted: () => {},
  workerStarted: () => {},
  workerLost: () => {},
  compiled: () => {},
  certificates: () => {},
});
