import { messageOf } from '../core/errors.ts';
import type { Compilation } from './compile/compile.ts';
import { defaultCompileSettings } from './compile/settings.ts';
import { type Backend, emptyTable, type RoutingTable } from './compile/table.ts';
import { defaultTimeouts, type EngineParts } from './engine.ts';
import { FindingReporter } from './finding-reporter.ts';
import { type DecideSettings, type Decision, decide } from './http1/node-decide.ts';
import { createNodeEngine } from './http1/node-engine.ts';
import { formatListenAddress, parseListenAddress } from './listen-address.ts';
import { noEdgeMetrics } from './metrics.ts';
import type { EdgeOptions } from './options.ts';
import { defaultHeadLimits } from './policy/check-head.ts';
import type { RawHead } from './policy/raw-head.ts';
import { TableKeeper } from './table-keeper.ts';
import { makeDefaultCertificate } from './tls/default-certificate.ts';
import { createSniStore } from './tls/sni-store.ts';
import { createAgents } from './upstream/agents.ts';
import { checkedLookup } from './upstream/checked-lookup.ts';
import { RoundRobin } from './upstream/round-robin.ts';
import { UpstreamWatch } from './upstream-watch.ts';

/** The running proxy. */
export interface Edge {
  /** `host:port` with the port that was bound; undefined where it is not served. */
  readonly httpAddress: string | undefined;
  readonly httpsAddress: string | undefined;
  /** Resolves once the caches are synced, the first table is compiled and the listeners are bound; or by `stop`. */
  readonly ready: Promise<void>;
  /**
   * Accepts nothing more and resolves when the requests under way have ended, or after `drainMs` of the configuration.
   * Safe to be called twice.
   */
  stop(): Promise<void>;
  /** The table in force; an empty one before the first. */
  table(): RoutingTable;
}

/** Connections that come before the first table wait for it this long at most; then they are answered with 503. */
const startDeadlineMs = 10_000;

/**
 * Starts the edge. Resolves once the listeners are bound, so that a taken port is known at once (EDGE_LISTEN_FAILED);
 * requests that come before the first table wait for it.
 */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const { caches, events, clock, config, metrics = noEdgeMetrics } = options;
  const logger = options.logger.child({ component: 'edge' });
  let table: RoutingTable | undefined;

  const http = config.httpListen === undefined ? undefined : parseListenAddress(config.httpListen);
  const https = config.httpsListen === undefined ? undefined : parseListenAddress(config.httpsListen);
  const httpsPort = config.httpsRedirectPort ?? 443;
  const settings = { ...defaultCompileSettings, ...given(config) };
  const decideSettings: DecideSettings = {
    limits: { ...defaultHeadLimits, ...config.limits },
    httpsPort: https === undefined ? undefined : httpsPort,
  };
  const agents = createAgents(checkedLookup(settings.standalone));
  const roundRobin = new RoundRobin();
  const reporter = new FindingReporter({ events, clock, graceMs: config.findingGraceMs ?? 5_000 });
  const upstreamWatch = new UpstreamWatch({ events, clock, logger, metrics, ingresses: caches.ingresses });
  const sni = createSniStore({
    table: () => table ?? emptyTable,
    fallback: await makeDefaultCertificate(clock.now()),
    onUnusable: (certificate, reason) =>
      logger.warn('a certificate cannot be served; the default certificate stands in', {
        secret: certificate.secret,
        reason,
      }),
  });

  const { promise: started, resolve } = Promise.withResolvers<void>();
  let starting: Promise<void> | undefined = started;
  const markStarted = (): void => {
    starting = undefined;
    resolve();
  };
  const cancelDeadline = clock.after(startDeadlineMs, markStarted);

  const keeper = new TableKeeper({
    caches,
    settings,
    debounceMs: config.debounceMs ?? 5,
    clock,
    logger,
    publish(compilation, durationMs) {
      table = compilation.table;
      markStarted();
      reporter.report(compilation.findings);
      forgetUnused(
        compilation,
        ids => agents.keep(ids),
        keys => roundRobin.keep(keys),
      );
      metrics.compiled({ durationMs, hosts: table.hosts.size, findings: compilation.findings.length });
      logger.debug('routing table compiled', { durationMs: Math.round(durationMs), hosts: table.hosts.size });
    },
  });

  const parts: EngineParts = {
    http,
    https,
    publicPorts: { http: config.httpPublicPort ?? 80, https: httpsPort },
    starting: () => starting,
    decide: head => decideWith(table, head, decideSettings),
    sni,
    agents,
    roundRobin,
    timeouts: { ...defaultTimeouts, ...config.timeouts },
    upstreamFailed: (route, backend, failure) => upstreamWatch.failed(route, backend, failure),
    metrics,
    accessLog: config.accessLog ?? false,
    logger,
  };
  const engine = (options.createEngine ?? createNodeEngine)(parts);
  const addresses = await engine.listen();
  const ready = keeper.start();
  ready.catch(error => logger.error('the edge could not start', { error: messageOf(error) }));
  const httpAddress = addresses.http && formatListenAddress(addresses.http);
  const httpsAddress = addresses.https && formatListenAddress(addresses.https);
  logger.info('edge listening', { http: httpAddress, https: httpsAddress });

  let stopping: Promise<void> | undefined;
  const stopOnce = async (): Promise<void> => {
    keeper.stop();
    reporter.stop();
    cancelDeadline();
    markStarted();
    await engine.stop(config.drainMs ?? 20_000);
    agents.close();
  };
  return {
    httpAddress,
    httpsAddress,
    ready,
    stop: () => (stopping ??= stopOnce()),
    table: () => table ?? emptyTable,
  };
}

function decideWith(table: RoutingTable | undefined, head: RawHead, settings: DecideSettings): Decision {
  const decision = decide(table ?? emptyTable, head, settings);
  return table === undefined && decision.kind === 'answer'
    ? { ...decision, status: 503, reason: 'there is no routing table yet' }
    : decision;
}

/** Without what is undefined, so that it does not stand in the way of a default. */
function given<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}

function forgetUnused(
  { table }: Compilation,
  keepTls: (ids: ReadonlySet<string>) => void,
  keepBackends: (keys: ReadonlySet<string>) => void,
): void {
  const tlsIds = new Set<string>();
  const keys = new Set<string>();
  for (const backend of table.backends.values()) {
    keys.add(backend.key);
    const tls = tlsOf(backend);
    if (tls !== undefined) tlsIds.add(tls.id);
  }
  keepTls(tlsIds);
  keepBackends(keys);
}

function tlsOf(backend: Backend): { readonly id: string } | undefined {
  return backend.kind === 'unavailable' ? undefined : backend.tls;
}
