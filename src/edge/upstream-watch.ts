import type { Ingress } from '../api/kubernetes/ingress.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { Cache } from '../kube/cache.ts';
import type { EventRecorder } from '../kube/events.ts';
import { serviceOfKey } from './compile/backend-key.ts';
import type { Backend, Route } from './compile/table.ts';
import { findingReasons } from './finding.ts';
import type { EdgeMetrics } from './metrics.ts';
import { RateGate } from './rate-gate.ts';
import type { UpstreamFailure } from './upstream/failure.ts';

const logIntervalMs = 10_000;
const eventIntervalMs = 10 * 60_000;

export interface UpstreamWatchOptions {
  readonly events: Pick<EventRecorder, 'warning'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: EdgeMetrics;
  readonly ingresses: Cache<Ingress>;
}

/** Tells of upstreams that fail: counted each time, logged and put on the Ingress at a bearable rate. */
export class UpstreamWatch {
  readonly #options: UpstreamWatchOptions;
  readonly #logGate: RateGate;
  readonly #eventGate: RateGate;

  constructor(options: UpstreamWatchOptions) {
    this.#options = options;
    this.#logGate = new RateGate(options.clock, logIntervalMs);
    this.#eventGate = new RateGate(options.clock, eventIntervalMs);
  }

  failed(route: Route, backend: Backend, failure: UpstreamFailure): void {
    const { logger, metrics, events, ingresses } = this.#options;
    const ingress = `${route.source.namespace}/${route.source.name}`;
    const key = serviceOfKey(backend.key);
    metrics.upstreamError(ingress, failure.code);
    const what = `${ingress} ${key} ${failure.code}`;
    if (failure.status !== 408 && this.#logGate.passes(what)) {
      logger.warn('an upstream failed', {
        ingress,
        service: key,
        code: failure.code,
        error: failure.message,
      });
    }
    const object =
      failure.verification && this.#eventGate.passes(what) ? ingresses.get(route.source) : undefined;
    if (object === undefined) return;
    const message =
      `TLS to Service "${key}" was refused (${failure.code}): ${failure.message}. Requests are answered with 502 until it is ` +
      'mended: name the right CA in proxy-ssl-secret and the right name in proxy-ssl-name';
    events.warning(object, findingReasons.upstreamTlsFailed, message);
  }
}
