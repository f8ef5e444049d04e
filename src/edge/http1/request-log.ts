import type { Route } from '../compile/table.ts';
import type { RawHead } from '../policy/raw-head.ts';
import type { NodeParts } from './node-parts.ts';

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
export function recordRequest(parts: NodeParts, request: FinishedRequest): void {
  const { head, status, route } = request;
  const durationMs = Math.round((performance.now() - request.startedMs) * 10) / 10;
  const { connection, fields } = head;
  parts.metrics.request(route, status, connection.secure, durationMs);
  if (parts.accessLog === undefined || route?.policy.accessLog === false) return;
  const mark = head.target.indexOf('?');
  parts.accessLog.write({
    timeMs: Date.now(),
    method: head.method,
    host: fields.first('host') ?? '',
    path: mark < 0 ? head.target : head.target.slice(0, mark),
    protocol: head.httpVersion,
    status,
    bytesReceived: 0,
    bytesSent: 0,
    durationMs,
    clientAddress: connection.clientAddress,
    secure: connection.secure,
    tlsVersion: connection.tls?.version,
    requestId: undefined,
    referer: fields.first('referer'),
    userAgent: fields.first('user-agent'),
    ingress: route === undefined ? '' : `${route.source.namespace}/${route.source.name}`,
    upstream: request.upstream,
    upstreamMs: undefined,
    reason: undefined,
  });
}
