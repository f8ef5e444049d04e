import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { certificates } from './api/cert-manager/certificate.ts';
import { clusterIssuers, issuers } from './api/cert-manager/issuer.ts';
import { type Secret, secrets } from './api/kubernetes/secret.ts';
import type { Config } from './config/config.ts';
import { foreignSecretTypes } from './controllers/certificate/unusable-secret.ts';
import type { Replica } from './controllers/ingress-status/clear.ts';
import type { Clock } from './core/clock.ts';
import type { Logger } from './core/logger.ts';
import { createCaches } from './kube/caches.ts';
import { createEventRecorder } from './kube/events.ts';
import { openObjects } from './open-objects.ts';
import { createController } from './runtime/controller.ts';
import { startHealthServer } from './runtime/health-server.ts';
import { collectWhenIdle } from './runtime/idle-memory.ts';
import { createLeaderElector } from './runtime/leader-election.ts';
import { createManager } from './runtime/manager.ts';
import { createMetrics, type Metrics } from './runtime/metrics.ts';
import { type StartedControllers, startControllers } from './start-controllers.ts';
import { startProxy } from './start-proxy.ts';

export interface StartOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly version: string;
  /** The pod this process runs in, where it does, and its namespace, where that is known. */
  readonly podName: string | undefined;
  readonly podNamespace?: string | undefined;
  /** Aborts when the process is to end; what is under way is finished first. */
  readonly signal: AbortSignal;
  /** How the objects are opened; `openObjects` where absent. */
  readonly open?: typeof openObjects;
}

/** Runs Postern until `signal` aborts. Rejects with what kept it from starting, or from going on. */
export async function start(options: StartOptions): Promise<void> {
  const { config, clock, logger, version, signal, open = openObjects } = options;
  const userAgent = `postern/${version}`;
  const metrics = createMetrics({ version });
  await using stack = new AsyncDisposableStack();

  const objects = await open({ config, clock, logger, userAgent, metrics });
  stack.defer(() => objects.close());
  const caches = createCaches({ api: objects.api, clock, logger, namespace: config.namespace });
  // Before anyone else asks for these caches: the first call says what is kept of each object.
  caches.cacheOf(secrets, { transform: withoutForeignData });
  if (config.components.controllers)
    caches.cacheIn(secrets, config.clusterResourceNamespace, { transform: withoutForeignData });
  const events = createEventRecorder({ api: objects.api, clock, logger, instance: hostname() });
  stack.defer(() => events.flush());
  const context = { api: caches.writer, caches, events, clock, logger };
  metrics.reflectors(() => caches.status());

  const edge = config.components.edge
    ? await startProxy({ ...context, api: objects.api, config, metrics })
    : undefined;
  if (edge !== undefined) stack.defer(() => edge.stop());
  const controllers = config.components.controllers
    ? await startControllers(context, config, metrics, userAgent, replicaOf(options))
    : undefined;
  if (controllers !== undefined) {
    stack.defer(() => controllers.stop());
    metrics.certificates({
      certificates: () => caches.cacheOf(certificates).list(),
      issuers: () => caches.cacheOf(issuers).list(),
      clusterIssuers: () => caches.cacheOf(clusterIssuers).list(),
    });
  }

  const manager = createManager({
    clock,
    logger,
    caches,
    controllers: controllersOf(controllers, options, metrics),
    first: edge?.serving,
    ...electorOf(options, objects.api, metrics),
  });
  const health = await startHealthServer({
    listen: config.metricsListen,
    metrics,
    live: () => manager.live,
    ready: () => [...manager.ready, ...(edge?.ready ?? [])],
    logger,
  });
  stack.defer(() => health.close());

  // The edge drains while the controllers end: neither waits for the other.
  signal.addEventListener('abort', () => void edge?.stop(), { once: true });
  collectWhenIdle({ clock, logger }, signal);
  logger.info('postern is starting', { version, source: config.source.kind });
  await manager.run(signal);
  logger.info('postern is ending');
}

/** Pods of the edge carry this label in the chart and the plain manifests. */
const edgePods = 'postern.dev/edge=true';

function replicaOf({ config, podName, podNamespace }: StartOptions): Replica {
  if (config.source.kind === 'standalone') return { kind: 'only' };
  if (podName === undefined || podNamespace === undefined) return { kind: 'unknown' };
  return { kind: 'pod', namespace: podNamespace, name: podName, labelSelector: edgePods };
}

function controllersOf(
  controllers: StartedControllers | undefined,
  { clock, logger }: StartOptions,
  metrics: Metrics,
) {
  return (controllers?.specs ?? []).map(spec =>
    createController(spec, {
      clock,
      logger,
      metrics: metrics.controller(spec.name),
    }),
  );
}

function electorOf(
  options: StartOptions,
  api: Parameters<typeof createLeaderElector>[0]['api'],
  metrics: Metrics,
) {
  const { config, clock, logger } = options;
  const { leaderElection } = config;
  if (!config.components.controllers) return {};
  if (leaderElection === undefined) {
    metrics.leading(true);
    return {};
  }
  const { namespace, ...times } = leaderElection;
  return {
    elector: createLeaderElector({
      api,
      clock,
      logger,
      lease: { namespace, name: 'postern-controllers' },
      // A container that was restarted in its pod is the same candidate, and has its Lease back at once.
      identity: options.podName ?? `${hostname()}_${randomUUID()}`,
      times,
      onChange: isLeader => metrics.leading(isLeader),
    }),
  };
}

/** What other programs keep in Secrets of their own is not held in memory; a Helm release alone may be a megabyte. */
function withoutForeignData(secret: Secret): Secret {
  if (!foreignSecretTypes.has(secret.type ?? '')) return secret;
  const { data: _data, ...rest } = secret;
  return rest;
}
