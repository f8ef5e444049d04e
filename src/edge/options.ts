import type { EndpointSlice } from '../api/kubernetes/endpoint-slice.ts';
import type { Endpoints } from '../api/kubernetes/endpoints.ts';
import type { Ingress } from '../api/kubernetes/ingress.ts';
import type { IngressClass } from '../api/kubernetes/ingress-class.ts';
import type { Secret } from '../api/kubernetes/secret.ts';
import type { Service } from '../api/kubernetes/service.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { Cache } from '../kube/cache.ts';
import type { EventRecorder } from '../kube/events.ts';
import type { CompileSettings } from './compile/settings.ts';
import type { CreateEngine, EdgeTimeouts } from './engine.ts';
import type { EdgeMetrics } from './metrics.ts';
import type { HeadLimits } from './policy/check-head.ts';

/** What the edge is told by flags. What is left out has a default. */
export interface EdgeConfig extends Partial<CompileSettings> {
  /** `host:port`, `:port` or `[address]:port`, port 0 for a free one; undefined: not served. */
  readonly httpListen?: string | undefined;
  readonly httpsListen?: string | undefined;
  /** The port of HTTPS as clients see it, for redirects and X-Forwarded-Port. Default 443. */
  readonly httpsRedirectPort?: number | undefined;
  /** The port of HTTP as clients see it, for X-Forwarded-Port. Default 80. */
  readonly httpPublicPort?: number | undefined;
  /** One line a request at level info. Default false. */
  readonly accessLog?: boolean | undefined;
  readonly timeouts?: Partial<EdgeTimeouts> | undefined;
  readonly limits?: Partial<HeadLimits> | undefined;
  /** How long `stop` waits for requests under way. Default 20 s. */
  readonly drainMs?: number | undefined;
  /** How long changes are gathered before the table is compiled again. Default 5 ms. */
  readonly debounceMs?: number | undefined;
  /** How long a missing Secret or Service may last before it is an event. Default 5 s. */
  readonly findingGraceMs?: number | undefined;
}

/** The local copies the routing table is compiled from. */
export interface EdgeCaches {
  readonly ingresses: Cache<Ingress>;
  readonly ingressClasses: Cache<IngressClass>;
  readonly services: Cache<Service>;
  /** `discovery.k8s.io` v1, or v1beta1 where the API server has no v1. */
  readonly endpointSlices: Cache<EndpointSlice>;
  /** For Services without slices: manifests without an API server, which would mirror them. */
  readonly endpoints?: Cache<Endpoints> | undefined;
  readonly secrets: Cache<Secret>;
}

/** What an edge is made from. */
export interface EdgeOptions {
  readonly caches: EdgeCaches;
  readonly events: Pick<EventRecorder, 'warning'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: EdgeConfig;
  readonly metrics?: EdgeMetrics | undefined;
  /** Default: Node's own servers. */
  readonly createEngine?: CreateEngine | undefined;
}
