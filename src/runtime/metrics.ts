import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry, Summary } from 'prom-client';
import { type CertificateSources, certificateGauges } from './certificate-gauges.ts';
import type { ControllerMetrics } from './controller-metrics.ts';

/** One request to the Kubernetes API, as its client saw it. */
export interface KubeRequestFacts {
  readonly verb: string;
  readonly resource: string;
  /** The HTTP status, or 0 where none came. */
  readonly status: number;
  /** To the end of the answer; for a watch to its beginning. */
  readonly durationMs: number;
}

/** One request to an ACME server. */
export interface AcmeRequestFacts {
  readonly scheme: string;
  readonly host: string;
  /** What it was for: `newOrder`, `newAccount`, `directory`. Never a path: those hold identifiers. */
  readonly action: string;
  readonly method: string;
  /** The HTTP status, or 0 where none came. */
  readonly status: number;
  readonly durationMs: number;
}

/** What a reflector says of itself, read at each scrape. */
export interface ReflectorFacts {
  readonly resource: string;
  readonly synced: boolean;
  readonly relists: number;
  /** Milliseconds since the epoch; undefined before the first answer. */
  readonly lastContact: number | undefined;
}

/**
 * The measurements of the process, behind hooks that other rooms are given. The hooks are cheap, synchronous
 * and never throw. Names that cert-manager has are used as it has them, so that dashboards and alerts go on
 * working; what is Postern's own begins with `postern_`.
 */
export interface Metrics {
  controller(name: string): ControllerMetrics;
  kubeRequest(facts: KubeRequestFacts): void;
  acmeRequest(facts: AcmeRequestFacts): void;
  leading(isLeader: boolean): void;
  /** Where the reflectors' state is read from, at each scrape. */
  reflectors(read: () => Iterable<ReflectorFacts>): void;
  /** Where the certificates and issuers are read from, at each scrape: the caches. */
  certificates(sources: CertificateSources): void;
  /** For measurements that another room defines. */
  readonly registry: Registry;
  readonly contentType: string;
  /** The Prometheus text of everything. */
  render(): Promise<string>;
}

export interface MetricsOptions {
  /** CPU, memory, file descriptors, garbage collection and event loop of the process. Default true. */
  readonly process?: boolean;
  readonly version?: string;
}

const fastBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120];

function controllerInstruments(registers: Registry[]) {
  const labelNames = ['controller'] as const;
  return {
    calls: new Counter({
      name: 'certmanager_controller_sync_call_count',
      help: 'Reconciles that a controller has run.',
      labelNames,
      registers,
    }),
    errors: new Counter({
      name: 'certmanager_controller_sync_error_count',
      help: 'Reconciles of a controller that ended in an error.',
      labelNames,
      registers,
    }),
    outcomes: new Counter({
      name: 'postern_reconcile_total',
      help: 'Reconciles of a controller by outcome: success, error, conflict (an object had changed meanwhile), aborted.',
      labelNames: ['controller', 'outcome'] as const,
      registers,
    }),
    seconds: new Histogram({
      name: 'postern_reconcile_duration_seconds',
      help: 'How long a reconcile takes.',
      labelNames,
      buckets: fastBuckets,
      registers,
    }),
    depth: new Gauge({
      name: 'postern_queue_depth',
      help: 'Keys that are due and wait for a worker. Grows on a replica that does not lead.',
      labelNames,
      registers,
    }),
    waited: new Histogram({
      name: 'postern_queue_wait_seconds',
      help: 'How long a key that is due waits for a worker.',
      labelNames,
      buckets: fastBuckets,
      registers,
    }),
    retries: new Counter({
      name: 'postern_queue_retries_total',
      help: 'Keys put off with back-off after a failure.',
      labelNames,
      registers,
    }),
  };
}

function requestInstruments(registers: Registry[]) {
  const acmeLabels = ['scheme', 'host', 'action', 'method', 'status'] as const;
  return {
    kubeCount: new Counter({
      name: 'postern_kube_requests_total',
      help: 'Requests to the Kubernetes API by verb, resource and HTTP status.',
      labelNames: ['verb', 'resource', 'code'] as const,
      registers,
    }),
    kubeSeconds: new Histogram({
      name: 'postern_kube_request_duration_seconds',
      help: 'How long a request to the Kubernetes API takes; a watch until it begins.',
      labelNames: ['verb'] as const,
      buckets: fastBuckets,
      registers,
    }),
    acmeCount: new Counter({
      name: 'certmanager_http_acme_client_request_count',
      help: 'Requests to ACME servers.',
      labelNames: acmeLabels,
      registers,
    }),
    acmeSeconds: new Summary({
      name: 'certmanager_http_acme_client_request_duration_seconds',
      help: 'How long a request to an ACME server takes.',
      labelNames: acmeLabels,
      percentiles: [0.5, 0.9, 0.99],
      maxAgeSeconds: 600,
      ageBuckets: 5,
      registers,
    }),
  };
}

function addReflectorGauges(registry: Registry, read: () => Iterable<ReflectorFacts>): void {
  const labelNames = ['resource'] as const;
  const registers = [registry];
  const synced = new Gauge({
    name: 'postern_reflector_synced',
    help: 'Whether the first complete list of a resource is in.',
    labelNames,
    registers,
    collect() {
      for (const facts of read()) {
        const { resource } = facts;
        synced.set({ resource }, facts.synced ? 1 : 0);
        relists.set({ resource }, facts.relists);
        if (facts.lastContact !== undefined) lastContact.set({ resource }, facts.lastContact / 1_000);
      }
    },
  });
  const relists = new Gauge({
    name: 'postern_reflector_relists',
    help: 'How often a resource was listed again since the start.',
    labelNames,
    registers,
  });
  const lastContact = new Gauge({
    name: 'postern_reflector_last_contact_timestamp_seconds',
    help: 'When the API server last sent something about a resource, in seconds since the epoch.',
    labelNames,
    registers,
  });
}

const statusLabel = (status: number): string => (status === 0 ? 'error' : String(status));

/** Measurements in a registry of their own. */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (options.process !== false) collectDefaultMetrics({ register: registry });
  const controllers = controllerInstruments(registers);
  const requests = requestInstruments(registers);
  const leader = new Gauge({
    name: 'postern_leader',
    help: 'Whether this replica leads: its controllers write.',
    registers,
  });
  new Gauge({
    name: 'postern_build_info',
    help: 'Always 1; the label says which version runs.',
    labelNames: ['version'],
    registers,
  }).set({ version: options.version ?? 'unknown' }, 1);
  let sources: CertificateSources | undefined;
  return {
    registry,
    contentType: registry.contentType,
    async render() {
      const text = await registry.metrics();
      return sources === undefined ? text : `${text}\n${certificateGauges(sources)}`;
    },
    leading: isLeader => leader.set(isLeader ? 1 : 0),
    reflectors: read => addReflectorGauges(registry, read),
    certificates(from) {
      sources = from;
    },
    controller(controller) {
      // Made at once, so that a rate over them starts at zero and an alert on their absence can work.
      for (const counter of [controllers.calls, controllers.errors]) counter.inc({ controller }, 0);
      return {
        reconciled(outcome, durationMs) {
          controllers.calls.inc({ controller });
          if (outcome === 'error') controllers.errors.inc({ controller });
          controllers.outcomes.inc({ controller, outcome });
          controllers.seconds.observe({ controller }, Math.max(0, durationMs) / 1_000);
        },
        queueDepth: keys => controllers.depth.set({ controller }, keys),
        queueWaited: waitedMs => controllers.waited.observe({ controller }, waitedMs / 1_000),
        queueRetried: () => controllers.retries.inc({ controller }),
      };
    },
    kubeRequest({ verb, resource, status, durationMs }) {
      requests.kubeCount.inc({ verb, resource, code: statusLabel(status) });
      requests.kubeSeconds.observe({ verb }, Math.max(0, durationMs) / 1_000);
    },
    acmeRequest({ scheme, host, action, method, status, durationMs }) {
      const labels = { scheme, host, action, method, status: statusLabel(status) };
      requests.acmeCount.inc(labels);
      requests.acmeSeconds.observe(labels, Math.max(0, durationMs) / 1_000);
    },
  };
}
