import type { Endpoint, Route } from '../compile/table.ts';
import type { EngineParts } from '../engine.ts';
import type { CheckedHead, RequestHead } from '../policy/request-head.ts';
import { upstreamHeaders } from '../policy/upstream-headers.ts';
import type { ExchangeRequest } from '../upstream/exchange.ts';

/**
 * The request to the upstream for a request that is to be proxied. Throws where the TLS library refuses the Ingress's
 * CA or client certificate.
 */
export function exchangeRequest(
  parts: EngineParts,
  head: RequestHead,
  checked: CheckedHead,
  route: Route,
): ExchangeRequest {
  const { backend } = route;
  const port = head.secure ? parts.publicPorts.https : parts.publicPorts.http;
  return {
    targets: targetsOf(parts, route),
    agent: parts.agents.agentFor(backend.kind === 'unavailable' ? undefined : backend.tls),
    method: head.method,
    path: checked.path + checked.query,
    headers: upstreamHeaders(head, checked, port),
    hasBody: checked.body !== 'none',
    connectTimeoutMs: parts.timeouts.connectMs,
    idleTimeoutMs: parts.timeouts.idleMs,
  };
}

function targetsOf(parts: EngineParts, { backend }: Route): readonly Endpoint[] {
  if (backend.kind === 'external') return [{ address: backend.host, port: backend.port }];
  return backend.kind === 'endpoints' ? parts.roundRobin.order(backend.key, backend.endpoints) : [];
}
