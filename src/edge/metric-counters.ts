import {
  countsOfIngress,
  durationBucketsMs,
  type MetricDelta,
  type RequestCounts,
  statusClasses,
} from '../runtime/edge-measurements.ts';
import type { Route } from './compile/table.ts';
import type { EdgeMetrics } from './metrics.ts';

const classes = statusClasses.length;
const ingressesAtFirst = 64;

/** Counts in memory until somebody takes the sums. */
export class MetricCounters implements EdgeMetrics {
  /**
   * Where the counts of an Ingress begin. One array for all: with an array for each, thousands of them would be made a second.
   * The places stay from report to report, so that nothing is made for an Ingress that has requests all the time.
   */
  #starts = new Map<string, number>();
  /** A look-up by the object costs no text. */
  #startsByRoute = new WeakMap<Route, number>();
  #requests = new Float64Array(ingressesAtFirst * countsOfIngress);
  #durations = new Float64Array(durationBucketsMs.length + 1);
  #durationSumMs = 0;
  #upstreamErrors = new Map<string, number>();
  #handshakes = new Map<string, number>();
  #handshakesFailed = 0;
  #refused = new Map<string, number>();
  #connections = 0;
  #reportedConnections = 0;

  request(route: Route | undefined, status: number, secure: boolean, durationMs: number): void {
    const start =
      route === undefined ? this.#startOf('') : (this.#startsByRoute.get(route) ?? this.#begin(route));
    const at = start + Math.min(classes - 1, Math.floor(status / 100)) + (secure ? classes : 0);
    this.#requests[at] = (this.#requests[at] ?? 0) + 1;
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
    const requests = this.#takeRequests();
    const isQuiet =
      requests.ingresses.length + this.#upstreamErrors.size + this.#handshakes.size + this.#refused.size ===
        0 &&
      this.#handshakesFailed === 0 &&
      this.#connections === this.#reportedConnections;
    if (isQuiet) return undefined;
    const delta: MetricDelta = {
      requests,
      durations: this.#durations,
      durationSumMs: this.#durationSumMs,
      upstreamErrors: this.#upstreamErrors,
      handshakes: this.#handshakes,
      handshakesFailed: this.#handshakesFailed,
      refused: this.#refused,
      connections: this.#connections,
    };
    this.#durations = new Float64Array(durationBucketsMs.length + 1);
    this.#durationSumMs = 0;
    this.#upstreamErrors = new Map();
    this.#handshakes = new Map();
    this.#handshakesFailed = 0;
    this.#refused = new Map();
    this.#reportedConnections = this.#connections;
    return delta;
  }

  #takeRequests(): RequestCounts {
    const ingresses: string[] = [];
    const all = this.#requests;
    const counts = new Float64Array(this.#starts.size * countsOfIngress);
    for (const [ingress, start] of this.#starts) {
      const to = ingresses.length * countsOfIngress;
      let sum = 0;
      for (let at = 0; at < countsOfIngress; at += 1) {
        const count = all[start + at] ?? 0;
        counts[to + at] = count;
        sum += count;
      }
      if (sum > 0) ingresses.push(ingress);
    }
    all.fill(0, 0, counts.length);
    // Ingresses that are gone, or quiet, are not kept for ever.
    if (ingresses.length < this.#starts.size / 2) {
      this.#starts = new Map();
      this.#startsByRoute = new WeakMap();
    }
    return { ingresses, counts: counts.slice(0, ingresses.length * countsOfIngress) };
  }

  #begin(route: Route): number {
    const start = this.#startOf(`${route.source.namespace}/${route.source.name}`);
    this.#startsByRoute.set(route, start);
    return start;
  }

  #startOf(ingress: string): number {
    const known = this.#starts.get(ingress);
    if (known !== undefined) return known;
    const start = this.#starts.size * countsOfIngress;
    this.#starts.set(ingress, start);
    if (start >= this.#requests.length) {
      const larger = new Float64Array(this.#requests.length * 2);
      larger.set(this.#requests);
      this.#requests = larger;
    }
    return start;
  }
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
