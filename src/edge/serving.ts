import { systemClock } from '../core/clock.ts';
import type { RoutingTable } from './compile/table.ts';
import { createForwarder } from './exchange/forward.ts';
import type { UpstreamConnector } from './exchange/ports.ts';
import { createHttp1Server } from './http1/http1-server.ts';
import { createDecideContext } from './policy/decide-context.ts';
import type { ProtocolServer, ServingParts } from './protocol-server.ts';
import { TimerWheel } from './timers/timer-wheel.ts';
import { Balancer } from './upstream/balancer.ts';
import { checkedLookup } from './upstream/checked-lookup.ts';
import { Http1Connector } from './upstream/http1-connector.ts';

/** All that serves requests in one worker: the servers of the protocols, the forwarding, the connections to upstreams. */
export interface Serving {
  readonly http1: ProtocolServer;
  /** Cuts what is left. */
  close(): void;
}

export function createServing(parts: ServingParts): Serving {
  const wheel = new TimerWheel(resolutionFor(parts.timeouts));
  const context = createDecideContext(parts.policy);
  const balancer = new Balancer(systemClock);
  const http1Upstreams = new Http1Connector(checkedLookup(parts.standalone), wheel);
  const connectors = { http1: http1Upstreams, http2: noHttp2 };
  parts.onTable(table => {
    balancer.keep(table.backends);
    http1Upstreams.keep(tlsIdsOf(table));
  });
  const serve = createForwarder({ ...parts, context, balancer, connectors, wheel });
  const http1 = createHttp1Server(parts, serve, wheel);
  return {
    http1,
    close() {
      http1.close();
      http1Upstreams.close();
      context.passwords.close();
      wheel.close();
    },
  };
}

/** Time-outs may be a quarter too long, and by no more than a quarter of a second. */
function resolutionFor(timeouts: object): number {
  const shortest = Math.min(...Object.values(timeouts).filter(value => typeof value === 'number'));
  return Math.max(10, Math.min(250, shortest / 4));
}

function tlsIdsOf({ backends }: RoutingTable): Set<string> {
  const ids = new Set<string>();
  for (const backend of backends.values())
    if (backend.kind !== 'unavailable' && backend.tls !== undefined) ids.add(backend.tls.id);
  return ids;
}

const noHttp2: UpstreamConnector = {
  open(_target, _request, _deadlines, listener) {
    const failure = {
      status: 502,
      code: 'EDGE_UPSTREAM_HTTP2',
      message: 'HTTP/2 is not spoken with upstreams',
      verification: false,
    } as const;
    process.nextTick(() => listener.failed(failure, true));
    return { abort: () => {} };
  },
  keep: () => {},
  close: () => {},
};
