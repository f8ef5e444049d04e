import { systemClock } from '../core/clock.ts';
import type { RoutingTable } from './compile/table.ts';
import { createForwarder } from './exchange/forward.ts';
import { createHttp1Server } from './http1/http1-server.ts';
import { createHttp2Server } from './http2/protocol-server.ts';
import { createDecideContext } from './policy/decide-context.ts';
import type { ProtocolServer, ServingParts } from './protocol-server.ts';
import { TimerWheel } from './timers/timer-wheel.ts';
import { Balancer } from './upstream/balancer.ts';
import { checkedLookup } from './upstream/checked-lookup.ts';
import { Http1Connector } from './upstream/http1-connector.ts';
import { Http2Connector } from './upstream/http2-connector.ts';

/** All that serves requests in one worker: the servers of the protocols, the forwarding, the connections to upstreams. */
export interface Serving {
  readonly http1: ProtocolServer;
  readonly http2: ProtocolServer;
  /** Cuts what is left. */
  close(): void;
}

export function createServing(parts: ServingParts): Serving {
  const wheel = new TimerWheel(resolutionFor(parts.timeouts));
  const context = createDecideContext(parts.policy);
  const balancer = new Balancer(systemClock);
  const lookup = checkedLookup(parts.standalone);
  const connectors = { http1: new Http1Connector(lookup, wheel), http2: new Http2Connector(lookup, wheel) };
  parts.onTable(table => {
    balancer.keep(table.backends);
    const tlsIds = tlsIdsOf(table);
    connectors.http1.keep(tlsIds);
    connectors.http2.keep(tlsIds);
  });
  const serve = createForwarder({ ...parts, context, balancer, connectors, wheel });
  const http1 = createHttp1Server(parts, serve, wheel, systemClock);
  const http2 = createHttp2Server(parts, serve, systemClock);
  return {
    http1,
    http2,
    close() {
      http1.close();
      http2.close();
      connectors.http1.close();
      connectors.http2.close();
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
