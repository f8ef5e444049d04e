import { messageOf } from '../core/errors.ts';
import { noEdgeMeasurements, type ServedCertificate } from '../runtime/edge-measurements.ts';
import { defaultCompileSettings } from './compile/settings.ts';
import { emptyTable, type RoutingTable } from './compile/table.ts';
import { DefaultCertificateKeeper } from './default-certificate-keeper.ts';
import type { EngineHost } from './engine-host.ts';
import { engineSettings } from './engine-settings.ts';
import { FindingReporter } from './finding-reporter.ts';
import { given } from './given.ts';
import type { HostParts } from './host-parts.ts';
import { formatListenAddress, parseListenAddress } from './listen-address.ts';
import { createLocalHost } from './local-host.ts';
import type { EdgeOptions } from './options.ts';
import { TableKeeper } from './table-keeper.ts';
import { makeDefaultCertificate } from './tls/default-certificate.ts';
import { TicketKeys } from './tls/ticket-keys.ts';
import { UpstreamWatch } from './upstream-watch.ts';
import { createWorkerPool } from './workers/worker-pool.ts';

/** The running proxy. */
export interface Edge {
  /** `host:port` with the port that was bound; undefined where it is not served. */
  readonly httpAddress: string | undefined;
  readonly httpsAddress: string | undefined;
  /** Resolves once the caches are synced, and the first table is compiled and served by every worker; or by `stop`. */
  readonly ready: Promise<void>;
  /** Why it is not served as it should be now, or undefined. */
  problem(): string | undefined;
  /**
   * Accepts nothing more and resolves when the requests under way have ended, or after `drainMs` of the configuration.
   * Safe to be called twice.
   */
  stop(): Promise<void>;
  /** The table in force; an empty one before the first. */
  table(): RoutingTable;
}

/**
 * Starts the edge. Resolves once it is sure that the addresses can be listened on, so that a taken port is known at once
 * (EDGE_LISTEN_FAILED). Without workers, connections that come before the first table wait for it; workers listen when
 * they have one.
 */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const { caches, events, clock, config, measurements = noEdgeMeasurements } = options;
  const logger = options.logger.child({ component: 'edge' });
  let table: RoutingTable | undefined;
  /** As it was compiled, without what is added to every table. */
  let compiled: RoutingTable | undefined;
  let version = 0;

  const addresses = {
    http: config.httpListen === undefined ? undefined : parseListenAddress(config.httpListen),
    https: config.httpsListen === undefined ? undefined : parseListenAddress(config.httpsListen),
  };
  const compileSettings = { ...defaultCompileSettings, ...given(config) };
  const drainMs = config.drainMs ?? 20_000;
  const reporter = new FindingReporter({ events, clock, graceMs: config.findingGraceMs ?? 5_000 });
  const upstreamWatch = new UpstreamWatch({
    events,
    clock,
    logger,
    objectOf: source =>
      (source.kind === 'Ingress' ? caches.ingresses : caches.emissary?.mappings)?.get(source),
  });
  const ticketKeys = new TicketKeys(clock, keys => host.setTicketKeys(keys));
  const host = hostOf(options, {
    settings: engineSettings(config, compileSettings.standalone),
    fallback: await makeDefaultCertificate(clock.now()),
    ticketKeys: ticketKeys.current,
    accessLog: config.accessLog,
    writeAccessLog: options.writeAccessLog ?? (lines => void process.stdout.write(lines)),
    upstreamFailed: failure => upstreamWatch.failed(failure),
    measurements,
    logger,
    clock,
  });
  measurements.certificates(() => certificatesOf(table ?? emptyTable));

  const publish = (): void => {
    if (compiled === undefined) return;
    table = defaultCertificate.complete(compiled);
    version += 1;
    host.publish(table, version);
  };
  const defaultCertificate = new DefaultCertificateKeeper({
    secret: config.defaultCertificate,
    secrets: caches.secrets,
    logger,
    onChange: publish,
  });
  const keeper = new TableKeeper({
    caches,
    settings: compileSettings,
    debounceMs: config.debounceMs ?? 5,
    clock,
    logger,
    publish(compilation, durationMs) {
      compiled = compilation.table;
      publish();
      reporter.report(compilation.findings);
      const hosts = compiled.hosts.size;
      measurements.compiled({ durationMs, hosts, findings: compilation.findings.length, version });
      logger.debug('routing table compiled', { durationMs: Math.round(durationMs), hosts, version });
    },
  });

  const bound = await host.listen(addresses).catch((error: unknown) => {
    ticketKeys.stop();
    throw error;
  });
  const httpAddress = bound.http && formatListenAddress(bound.http);
  const httpsAddress = bound.https && formatListenAddress(bound.https);
  const ready = keeper.start().then(() => host.serving());
  ready.then(
    () => logger.info('edge listening', { http: httpAddress, https: httpsAddress }),
    (error: unknown) => logger.error('the edge could not start', { error: messageOf(error) }),
  );

  let stopping: Promise<void> | undefined;
  const stopOnce = async (): Promise<void> => {
    keeper.stop();
    defaultCertificate.stop();
    reporter.stop();
    ticketKeys.stop();
    await host.stop(drainMs);
  };
  return {
    httpAddress,
    httpsAddress,
    ready,
    problem: () => host.problem(),
    stop: () => (stopping ??= stopOnce()),
    table: () => table ?? emptyTable,
  };
}

function hostOf({ config, workerEntry: entry, sharePorts }: EdgeOptions, parts: HostParts): EngineHost {
  const { workers = 0, drainMs = 20_000, workerSilenceMs: silenceMs = 30_000 } = config;
  if (workers === 0 || entry === undefined) return createLocalHost(parts);
  return createWorkerPool({ ...parts, workers, entry, drainMs, sharePorts, silenceMs });
}

function* certificatesOf(table: RoutingTable): Generator<ServedCertificate> {
  const seen = new Set<string>();
  for (const entry of table.sni.values()) {
    if (entry.kind !== 'certificate' || seen.has(entry.certificate.secret)) continue;
    seen.add(entry.certificate.secret);
    yield entry.certificate;
  }
}
