import type { AccessLog } from '../access-log.ts';
import type { Route } from '../compile/table.ts';
import type { EdgeMetrics } from '../metrics.ts';
import type { CheckedHead, ConnectionFacts } from '../policy/request-head.ts';

/** What is known of a request when it is over. */
export interface FinishedRequest {
  readonly head: CheckedHead;
  /** 0 where no answer was begun. */
  readonly status: number;
  readonly startedMs: number;
  readonly route: Route | undefined;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly requestId: string | undefined;
  /** `address:port`. */
  readonly upstream: string | undefined;
  readonly upstreamMs: number | undefined;
  /** Why the edge answered by itself. */
  readonly reason: string | undefined;
}

/** Where it is told of. */
export interface RequestLog {
  readonly metrics: Pick<EdgeMetrics, 'request'>;
  readonly accessLog: AccessLog | undefined;
}

/** Counts a request, and logs it where that is asked for. The query is left out: it may hold tokens. */
export function recordRequest({ metrics, accessLog }: RequestLog, request: FinishedRequest): void {
  const { head, status, route } = request;
  const durationMs = Math.round((performance.now() - request.startedMs) * 10) / 10;
  const { connection, fields } = head;
  metrics.request(route, status, connection.secure, durationMs);
  if (accessLog === undefined || route?.policy.accessLog === false) return;
  accessLog.write({
    timeMs: Date.now(),
    method: head.method,
    host: head.hostHeader,
    path: head.path,
    protocol: head.protocol,
    status,
    bytesReceived: request.bytesReceived,
    bytesSent: request.bytesSent,
    durationMs,
    clientAddress: connection.clientAddress,
    secure: connection.secure,
    tlsVersion: connection.tls?.version,
    requestId: request.requestId,
    referer: fields.first('referer'),
    userAgent: fields.first('user-agent'),
    ingress: route === undefined ? '' : `${route.source.namespace}/${route.source.name}`,
    upstream: request.upstream,
    upstreamMs: request.upstreamMs,
    reason: request.reason,
  });
}

/** Logs a connection's bytes that were no request, or an ambiguous one. */
export function recordRefusal(
  accessLog: AccessLog | undefined,
  { status, reason }: { readonly status: number; readonly reason: string },
  connection: ConnectionFacts,
): void {
  accessLog?.write({
    timeMs: Date.now(),
    method: '',
    host: '',
    path: '',
    protocol: '',
    status,
    bytesReceived: 0,
    bytesSent: 0,
    durationMs: 0,
    clientAddress: connection.clientAddress,
    secure: connection.secure,
    tlsVersion: connection.tls?.version,
    requestId: undefined,
    referer: undefined,
    userAgent: undefined,
    ingress: '',
    upstream: undefined,
    upstreamMs: undefined,
    reason,
  });
}
