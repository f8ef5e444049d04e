import type { Backend, Route } from './compile/table.ts';
import type { UpstreamFailure } from './upstream/failure.ts';
import type { ReportedFailure } from './workers/messages.ts';

/** Gathers failures of upstreams: of each route, backend and code the latest, however many there are. */
export class UpstreamFailures {
  #latest = new Map<string, ReportedFailure>();

  add({ source }: Route, { key }: Backend, failure: UpstreamFailure): void {
    this.#latest.set(`${source.kind} ${source.namespace}/${source.name} ${key} ${failure.code}`, {
      source,
      backend: key,
      failure,
    });
  }

  /** Those since the last call. */
  take(): readonly ReportedFailure[] {
    if (this.#latest.size === 0) return [];
    const failures = [...this.#latest.values()];
    this.#latest = new Map();
    return failures;
  }
}
