import type { DecideContext } from '../policy/decide-context.ts';
import type { ServingParts } from '../protocol-server.ts';
import type { TimerWheel } from '../timers/timer-wheel.ts';
import type { Balancer } from '../upstream/balancer.ts';
import type { UpstreamConnector } from './ports.ts';

/** What forwarding stands on, one for each worker. */
export interface ForwardParts
  extends Pick<
    ServingParts,
    'table' | 'policy' | 'timeouts' | 'standalone' | 'upstreamFailed' | 'metrics' | 'accessLog' | 'logger'
  > {
  readonly context: DecideContext;
  readonly balancer: Balancer;
  readonly connectors: { readonly http1: UpstreamConnector; readonly http2: UpstreamConnector };
  readonly wheel: TimerWheel;
}
