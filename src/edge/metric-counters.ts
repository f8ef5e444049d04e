import { durationBucketsMs, type MetricDelta, statusClasses } from '../runtime/edge-measurements.ts';
import type { Route } from './compile/table.ts';
import type { EdgeMetrics } from './metrics.ts';

const classes = statusClasses.length;

/** Counts in memory until somebody takes the sums. */
export class MetricCounters implements EdgeMetrics {
  #requests = new Map<string, Float64Array>();
  /** Routes live as long as their table: a look-up by the object costs no text. */
  #byRoute = new Map<Route, Float64Array>();
  #durations = new Float64Array(durationBucketsMs.length + 1);
  #durationSumMs = 0;
  #upstreamErrors = new Map<string, number>();
  #handshakes = new Map<string, number>();
  #handshakesFailed = 0;
  #refused = new Map<string, number>();
  #connections = 0;
  #reportedConnections = 0;

  request(route: Route | undefined, status: number, secure: boolean, durationMs: number): void {
    const counts = this.#countsOf(route);
    const at = Math.min(classes - 1, Math.floor(status / 100)) + (secure ? classes : 0);
    counts[at] = (counts[at] ?? 0) + 1;
    let bucket = 0;
    while (bucket < durationBucketsMs.length && durationMs > (durationBucketsMs[bucket] ?? 0)) bucket += 1;
    this.#durations[bucket] = (this.#durations[bucket] ?? 0) + 1;
    this.#durationSumMs += Math.max(0, durationMs);
  }

  upstreamError(route: Route, code: string): void {
    add(this.#upstreamErrors, `${route.source.namespace}/${route.source.name}\t${code}`);
  }

  handshake(version: string, resumed: boolean): void {
    add(this.#handshakes, resumed ? `${version}\ttrue` : `${version}\tfalse`);
  }

  handshakeFailed(): void {
    this.#handshakesFailed += 1;
  }

  refused(reason: string): void {
    add(this.#refused, reason);
  }

  connections(change: 1 | -1): void {
    this.#connections += change;
  }

  /** What was counted since the last call, or undefined where that is nothing. */
  take(): MetricDelta | undefined {
    const isQuiet =
      this.#requests.size + this.#upstreamErrors.size + this.#handshakes.size + this.#refused.size === 0 &&
      this.#handshakesFailed === 0 &&
      this.#connections === this.#reportedConnections;
    if (isQuiet) return undefined;
    const delta: MetricDelta = {
      requests: this.#requests,
      durations: this.#durations,
      durationSumMs: this.#durationSumMs,
      upstreamErrors: this.#upstreamErrors,
      handshakes: this.#handshakes,
      handshakesFailed: this.#handshakesFailed,
      refused: this.#refused,
      connections: this.#connections,
    };
    this.#requests = new Map();
    this.#byRoute = new Map();
    this.#durations = new Float64Array(durationBucketsMs.length + 1);
    this.#durationSumMs = 0;
    this.#upstreamErrors = new Map();
    this.#handshakes = new Map();
    this.#handshakesFailed = 0;
    this.#refused = new Map();
    this.#reportedConnections = this.#connections;
    return delta;
  }

  #countsOf(route: Route | undefined): Float64Array {
    const known = route === undefined ? this.#requests.get('') : this.#byRoute.get(route);
    if (known !== undefined) return known;
    const ingress = route === undefined ? '' : `${route.source.namespace}/${route.source.name}`;
    const counts = this.#requests.get(ingress) ?? new Float64Array(classes * 2);
    this.#requests.set(ingress, counts);
    if (route !== undefined) this.#byRoute.set(route, counts);
    return counts;
  }
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
