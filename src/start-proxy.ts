import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { type AuthService, authServices, filterPolicies } from './api/getambassador/auth-service.ts';
import { mappings } from './api/getambassador/mapping.ts';
import { tlsContexts } from './api/getambassador/tls-context.ts';
import { endpointSlices, endpointSlicesV1beta1 } from './api/kubernetes/endpoint-slice.ts';
import { endpoints } from './api/kubernetes/endpoints.ts';
import { ingresses } from './api/kubernetes/ingress.ts';
import { ingressClasses } from './api/kubernetes/ingress-class.ts';
import { secrets } from './api/kubernetes/secret.ts';
import { services } from './api/kubernetes/service.ts';
import type { Config } from './config/config.ts';
import { listenAddressText } from './config/values.ts';
import type { Clock } from './core/clock.ts';
import { PosternError, TerminalError } from './core/errors.ts';
import type { Logger } from './core/logger.ts';
import {
  type AccessLogFormat,
  type EdgeConfig,
  type EmissaryCaches,
  parseAccessLogFormat,
  startEdge,
} from './edge/index.ts';
import type { Caches } from './kube/caches.ts';
import type { EventRecorder } from './kube/events.ts';
import { createLateCache, type LateCache } from './kube/late-cache.ts';
import type { KubeApi } from './kube/port.ts';
import { createEdgeInstruments } from './runtime/edge-instruments.ts';
import type { HealthCheck } from './runtime/health.ts';
import type { Metrics } from './runtime/metrics.ts';

export interface StartProxyOptions {
  readonly api: KubeApi;
  readonly caches: Caches;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: Config;
  readonly metrics: Metrics;
}

/** The edge, on its way to serve. */
export interface StartedProxy {
  /** Resolves once it serves; rejects where it could not start. */
  readonly serving: Promise<void>;
  readonly ready: readonly HealthCheck[];
  stop(): Promise<void>;
}

/** Starts the edge on the caches it needs. */
export async function startProxy(options: StartProxyOptions): Promise<StartedProxy> {
  const { api, caches, events, clock, logger, config } = options;
  const standalone = config.source.kind === 'standalone';
  // Kubernetes 1.20 has v1beta1 alone.
  const slices = (await api.serves(endpointSlices)) ? endpointSlices : endpointSlicesV1beta1;
  const emissary = await emissaryCaches(options);
  const stopLooking = (): void => {
    emissary?.authServices.stop();
    emissary?.filterPolicies.stop();
  };
  const edge = await startEdge({
    caches: {
      ingresses: caches.cacheOf(ingresses),
      ingressClasses: caches.cacheOf(ingressClasses),
      services: caches.cacheOf(services),
      endpointSlices: caches.cacheOf(slices),
      // An API server mirrors Endpoints into slices by itself.
      endpoints: standalone ? caches.cacheOf(endpoints) : undefined,
      secrets: caches.cacheOf(secrets),
      emissary,
    },
    events,
    clock,
    logger,
    workerEntry: new URL(`./edge-worker${extname(import.meta.url)}`, import.meta.url),
    measurements: createEdgeInstruments(options.metrics.registry),
    config: {
      ingressClasses: config.ingressClasses,
      ambassadorId: config.emissary.ambassadorId,
      forceSecretValidation: config.emissary.forceSecretValidation,
      standalone,
      httpListen: listenAddressText(config.httpListen),
      httpsListen: listenAddressText(config.httpsListen),
      ...edgeConfig(config, standalone),
    },
  }).catch((error: unknown) => {
    stopLooking();
    throw withFlag(error, config);
  });
  return {
    serving: edge.ready,
    ready: [{ name: 'edge', problem: () => edge.problem() }],
    stop: () => {
      stopLooking();
      return edge.stop();
    },
  };
}

interface StoppableCaches extends EmissaryCaches {
  readonly authServices: LateCache<AuthService>;
  readonly filterPolicies: LateCache<AuthService>;
}

/** The caches of Emissary's kinds, where the API server has them and nobody has turned them off. */
async function emissaryCaches(parts: StartProxyOptions): Promise<StoppableCaches | undefined> {
  const { api, caches, config } = parts;
  const { watch } = config.emissary;
  if (watch === false) return undefined;
  if (!(await api.serves(mappings)) || !(await api.serves(tlsContexts))) {
    if (watch === undefined) return undefined;
    const message =
      'The API server has no Mapping and TLSContext of getambassador.io/v3alpha1: install crds/emissary, or leave --watch-emissary out.';
    throw new TerminalError(message, { code: 'EMISSARY_KINDS_MISSING' });
  }
  return {
    mappings: caches.cacheOf(mappings),
    tlsContexts: caches.cacheOf(tlsContexts),
    // What guards Mappings is noticed whenever it is installed: they must not stay open until the next start.
    authServices: await createLateCache(authServices, parts),
    filterPolicies: await createLateCache(filterPolicies, parts),
  };
}

/** The flags of the edge, as it takes them. Throws EDGE_ACCESS_LOG_INVALID. */
function edgeConfig({ edge, httpListen, httpsListen }: Config, standalone: boolean): EdgeConfig {
  const { trustedRanges, forwardedHeader, bodyBytes, limitStatus, hsts, sslRedirect } = edge;
  return {
    watchIngressWithoutClass: edge.watchIngressWithoutClass,
    externalNames: edge.externalNames,
    workers: edge.workers ?? availableParallelism(),
    // On a cluster a Service leads 80 and 443 here; by itself the edge is reached where it listens.
    httpPublicPort: standalone ? httpListen.port : undefined,
    httpsRedirectPort: edge.httpsRedirectPort ?? (standalone ? httpsListen.port : undefined),
    defaultCertificate: edge.defaultCertificate,
    accessLog: accessLogFormat(edge.accessLog),
    drainMs: edge.drainMs,
    limits: edge.limits,
    timeouts: edge.timeouts,
    tls: edge.tls,
    policy: { trustedRanges, forwardedHeader, bodyBytes, limitStatus, hsts, sslRedirect },
    proxyProtocol: edge.proxyProtocol,
  };
}

function accessLogFormat(text: string | undefined): AccessLogFormat | undefined {
  if (text === undefined) return undefined;
  const format = parseAccessLogFormat(text);
  if (!('error' in format)) return format;
  throw new TerminalError(
    `--access-log is ${JSON.stringify(text)}: ${format.error}. Write off, json, or a text with such names`,
    { code: 'EDGE_ACCESS_LOG_INVALID' },
  );
}

/** The edge knows addresses; the flags that they came from are known here. */
function withFlag(error: unknown, { httpListen, httpsListen }: Config): unknown {
  if (!(error instanceof PosternError) || error.code !== 'EDGE_LISTEN_FAILED') return error;
  const isOf = (address: Config['httpListen']): boolean =>
    error.message.includes(` ${listenAddressText(address)}:`);
  const flag = isOf(httpListen) ? '--http-listen' : isOf(httpsListen) ? '--https-listen' : undefined;
  if (flag === undefined) return error;
  return new TerminalError(`${error.message} (${flag})`, { code: error.code, cause: error.cause });
}
