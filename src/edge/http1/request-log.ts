import type { Route } from '../compile/table.ts';
import type { EngineParts } from '../engine.ts';
import type { RawHead } from '../policy/raw-head.ts';

/** What is known of a request when it is over. */
export interface FinishedRequest {
  readonly head: RawHead;
  /** 0 where no answer was begun. */
  readonly status: number;
  readonly startedMs: number;
  readonly route: Route | undefined;
  /** `address:port`. */
  readonly upstream: string | undefined;
}

/** Counts a request, and logs it where that is asked for. The query is left out: it may hold tokens. */
export function recordRequest(parts: EngineParts, request: FinishedRequest): void {
  const { head, status, route } = request;
  const durationMs = Math.round((performance.now() - request.startedMs) * 10) / 10;
  const ingress = route === undefined ? '' : `${route.source.namespace}/${route.source.name}`;
  const statusClass = status === 0 ? 'aborted' : `${Math.floor(status / 100)}xx`;
  parts.metrics.request({ statusClass, secure: head.connection.secure, durationMs, ingress });
  if (!parts.accessLog) return;
  const mark = head.target.indexOf('?');
  parts.logger.info('request', {
    method: head.method,
    host: head.fields.first('host') ?? '',
    path: mark < 0 ? head.target : head.target.slice(0, mark),
    status,
    durationMs,
    secure: head.connection.secure,
    client: head.connection.clientAddress,
    ingress,
    upstream: request.upstream,
  });
}
