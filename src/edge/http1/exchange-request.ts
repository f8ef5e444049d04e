import type { Backend, Endpoint } from '../compile/table.ts';
import type { CheckedHead } from '../policy/request-head.ts';
import { upstreamHeaders } from '../policy/upstream-headers.ts';
import type { ExchangeRequest } from '../upstream/exchange.ts';
import type { NodeParts } from './node-parts.ts';

/**
 * The request to the upstream for a request that is to be proxied. Throws where the TLS library refuses the Ingress's
 * CA or client certificate.
 */
export function exchangeRequest(parts: NodeParts, checked: CheckedHead, backend: Backend): ExchangeRequest {
  return {
    targets: targetsOf(parts, backend),
    agent: parts.agents.agentFor(backend.kind === 'unavailable' ? undefined : backend.tls),
    method: checked.method,
    path: checked.path + checked.query,
    headers: upstreamHeaders(checked),
    hasBody: checked.body !== 'none',
    connectTimeoutMs: parts.timeouts.connectMs,
    idleTimeoutMs: parts.timeouts.idleMs,
  };
}

function targetsOf(parts: NodeParts, backend: Backend): readonly Endpoint[] {
  if (backend.kind === 'external') return [{ address: backend.host, port: backend.port }];
  return backend.kind === 'endpoints' ? parts.roundRobin.order(backend.key, backend.endpoints) : [];
}
