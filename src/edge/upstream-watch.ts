import type { KubeObject } from '../api/meta.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { EventRecorder } from '../kube/events.ts';
import { serviceOfKey } from './compile/backend-key.ts';
import type { SourceRef } from './compile/table.ts';
import { findingReasons } from './finding.ts';
import { RateGate } from './rate-gate.ts';
import type { ReportedFailure } from './workers/messages.ts';

const logIntervalMs = 10_000;
const eventIntervalMs = 10 * 60_000;

export interface UpstreamWatchOptions {
  readonly events: Pick<EventRecorder, 'warning'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The object that a route comes from, if it is still there. */
  readonly objectOf: (source: SourceRef) => KubeObject | undefined;
}

/** Tells of upstreams that fail: logged and put on the object of the route at a bearable rate. */
export class UpstreamWatch {
  readonly #options: UpstreamWatchOptions;
  readonly #logGate: RateGate;
  readonly #eventGate: RateGate;

  constructor(options: UpstreamWatchOptions) {
    this.#options = options;
    this.#logGate = new RateGate(options.clock, logIntervalMs);
    this.#eventGate = new RateGate(options.clock, eventIntervalMs);
  }

  failed({ source, backend, failure }: ReportedFailure): void {
    const { logger, events, objectOf } = this.#options;
    const ingress = `${source.namespace}/${source.name}`;
    const key = serviceOfKey(backend);
    const what = `${source.kind} ${ingress} ${key} ${failure.code}`;
    if (failure.status !== 408 && this.#logGate.passes(what)) {
      logger.warn('an upstream failed', {
        ingress,
        service: key,
        code: failure.code,
        error: failure.message,
      });
    }
    const object = failure.verification ? objectOf(source) : undefined;
    // One that was deleted and made again is another one.
    if (object === undefined || !this.#eventGate.passes(`${what} ${object.metadata.uid ?? ''}`)) return;
    const message =
      `TLS to Service "${key}" was refused (${failure.code}): ${failure.message}. Requests are answered with 502 until it is ` +
      (source.kind === 'Mapping'
        ? 'mended: name a TLSContext in tls, with the right CA in ca_secret and the right name in sni'
        : 'mended: name the right CA in proxy-ssl-secret and the right name in proxy-ssl-name');
    events.warning(object, findingReasons.upstreamTlsFailed, message);
  }
}
