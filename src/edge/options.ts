import type { AuthService } from '../api/getambassador/auth-service.ts';
import type { Mapping } from '../api/getambassador/mapping.ts';
import type { TlsContext } from '../api/getambassador/tls-context.ts';
import type { EndpointSlice } from '../api/kubernetes/endpoint-slice.ts';
import type { Endpoints } from '../api/kubernetes/endpoints.ts';
import type { Ingress } from '../api/kubernetes/ingress.ts';
import type { IngressClass } from '../api/kubernetes/ingress-class.ts';
import type { Secret } from '../api/kubernetes/secret.ts';
import type { Service } from '../api/kubernetes/service.ts';
import type { ObjectKey } from '../api/meta.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { Cache } from '../kube/cache.ts';
import type { EventRecorder } from '../kube/events.ts';
import type { EdgeMeasurements } from '../runtime/edge-measurements.ts';
import type { AccessLogFormat } from './access-log.ts';
import type { CompileSettings } from './compile/settings.ts';
import type { EdgeTimeouts } from './engine.ts';
import type { EdgeLimits } from './limits.ts';
import type { PolicySettings } from './policy/policy-settings.ts';
import type { ServerTlsSettings } from './tls/tls-settings.ts';

/** What the edge is told by flags. What is left out has a default. */
export interface EdgeConfig extends Partial<CompileSettings> {
  /** `host:port`, `:port` or `[address]:port`, port 0 for a free one; undefined: not served. */
  readonly httpListen?: string | undefined;
  readonly httpsListen?: string | undefined;
  /** The port of HTTPS as clients see it, for redirects and X-Forwarded-Port. Default 443. */
  readonly httpsRedirectPort?: number | undefined;
  /** The port of HTTP as clients see it, for X-Forwarded-Port. Default 80. */
  readonly httpPublicPort?: number | undefined;
  /** The Secret of the certificate for names that have none. Default: one that no client trusts. */
  readonly defaultCertificate?: ObjectKey | undefined;
  /** Worker processes that the engine runs in. Default 0: it runs in this process. */
  readonly workers?: number | undefined;
  /** How long a worker may be silent when it is asked whether it is there, before another one takes its place. Default 30 s. */
  readonly workerSilenceMs?: number | undefined;
  /** How a line for each request is written. Default: none is. */
  readonly accessLog?: AccessLogFormat | undefined;
  readonly timeouts?: Partial<EdgeTimeouts> | undefined;
  /** Those of connections are for all workers together. */
  readonly limits?: Partial<EdgeLimits> | undefined;
  readonly tls?: Partial<ServerTlsSettings> | undefined;
  readonly policy?: Partial<PolicySettings> | undefined;
  /** Each connection must begin with a PROXY header, from within `policy.trustedRanges`. Default false. */
  readonly proxyProtocol?: boolean | undefined;
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
  /** Emissary's kinds, where they are served. */
  readonly emissary?: EmissaryCaches | undefined;
}

type GuardCache = Pick<Cache<AuthService>, 'list' | 'onChange' | 'synced'>;

export interface EmissaryCaches {
  readonly mappings: Cache<Mapping>;
  readonly tlsContexts: Cache<TlsContext>;
  /** What guards Mappings. Empty where the API server has no such kind (yet). */
  readonly authServices: GuardCache;
  readonly filterPolicies: GuardCache;
}

/** What an edge is made from. */
export interface EdgeOptions {
  readonly caches: EdgeCaches;
  readonly events: Pick<EventRecorder, 'warning'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: EdgeConfig;
  readonly measurements?: EdgeMeasurements | undefined;
  /** The program of a worker; needed where there are any. */
  readonly workerEntry?: URL | undefined;
  /** False: the workers are given their connections, as where ports cannot be shared. Default: as the system can. */
  readonly sharePorts?: boolean | undefined;
  /** Takes whole lines of the access log. Default: they are written to standard output. */
  readonly writeAccessLog?: ((lines: string) => void) | undefined;
}
