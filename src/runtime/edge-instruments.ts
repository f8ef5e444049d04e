import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import {
  countsOfIngress,
  durationBucketsMs,
  type EdgeMeasurements,
  type ServedCertificate,
  statusClasses,
} from './edge-measurements.ts';
import { SummedHistogram } from './summed-histogram.ts';

/** The measurements of the edge, of all its workers together, in a registry. */
export function createEdgeInstruments(registry: Registry): EdgeMeasurements {
  const registers = [registry];
  const requests = requestInstruments(registers);
  const connections = connectionInstruments(registers);
  const compile = compileInstruments(registers);
  return {
    counted(worker, delta) {
      const { ingresses, counts } = delta.requests;
      for (const [index, ingress] of ingresses.entries()) {
        for (let at = 0; at < countsOfIngress; at += 1) {
          const count = counts[index * countsOfIngress + at] ?? 0;
          if (count === 0) continue;
          const code = statusClasses[at % statusClasses.length] ?? '';
          requests.count.inc({ ingress, code, tls: String(at >= statusClasses.length) }, count);
        }
      }
      const seconds = delta.durationSumMs / 1_000;
      requests.seconds.add(delta.durations, seconds);
      for (const [key, count] of delta.upstreamErrors) {
        const [ingress = '', code = ''] = key.split('\t');
        requests.upstreamErrors.inc({ ingress, code }, count);
      }
      for (const [reason, count] of delta.refused) requests.refused.inc({ reason }, count);
      for (const [key, count] of delta.handshakes) {
        const [version = '', resumed = ''] = key.split('\t');
        connections.handshakes.inc({ version, resumed }, count);
      }
      connections.handshakeFailures.inc(delta.handshakesFailed);
      connections.open.set({ worker: String(worker) }, delta.connections);
    },
    workerStarted: () => connections.workerStarts.inc(),
    workerLost(worker) {
      connections.workerLosses.inc();
      connections.open.remove({ worker: String(worker) });
    },
    compiled({ durationMs, hosts, findings, version }) {
      compile.seconds.observe(Math.max(0, durationMs) / 1_000);
      compile.hosts.set(hosts);
      compile.findings.set(findings);
      compile.version.set(version);
    },
    certificates: read => addExpiryGauge(registers, read),
  };
}

function requestInstruments(registers: Registry[]) {
  return {
    count: new Counter({
      name: 'postern_edge_requests_total',
      help: 'Requests that the edge answered, by Ingress, class of the status and whether they came over TLS.',
      labelNames: ['ingress', 'code', 'tls'] as const,
      registers,
    }),
    seconds: new SummedHistogram({
      name: 'postern_edge_request_duration_seconds',
      help: 'From the head of a request to the end of its answer.',
      buckets: durationBucketsMs.map(ms => ms / 1_000),
      registers,
    }),
    upstreamErrors: new Counter({
      name: 'postern_edge_upstream_errors_total',
      help: 'Requests that an upstream failed, by Ingress and error code.',
      labelNames: ['ingress', 'code'] as const,
      registers,
    }),
    refused: new Counter({
      name: 'postern_edge_refused_total',
      help: 'Requests and connections that were refused as malformed, ambiguous or beyond a limit, by reason.',
      labelNames: ['reason'] as const,
      registers,
    }),
  };
}

function connectionInstruments(registers: Registry[]) {
  return {
    handshakes: new Counter({
      name: 'postern_edge_handshakes_total',
      help: 'TLS handshakes with clients, by version and whether a session was resumed.',
      labelNames: ['version', 'resumed'] as const,
      registers,
    }),
    handshakeFailures: new Counter({
      name: 'postern_edge_handshake_failures_total',
      help: 'TLS handshakes of clients that failed.',
      registers,
    }),
    open: new Gauge({
      name: 'postern_edge_connections',
      help: 'Open connections of clients, by worker.',
      labelNames: ['worker'] as const,
      registers,
    }),
    workerStarts: new Counter({
      name: 'postern_edge_worker_starts_total',
      help: 'Worker processes that were started.',
      registers,
    }),
    workerLosses: new Counter({
      name: 'postern_edge_worker_losses_total',
      help: 'Worker processes that ended without having been told to, or did not answer and were replaced.',
      registers,
    }),
  };
}

function compileInstruments(registers: Registry[]) {
  return {
    seconds: new Histogram({
      name: 'postern_edge_compile_duration_seconds',
      help: 'How long a compilation of the routing table takes.',
      buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    }),
    hosts: new Gauge({ name: 'postern_edge_hosts', help: 'Hosts in the routing table.', registers }),
    findings: new Gauge({
      name: 'postern_edge_findings',
      help: 'What the edge found wrong with Ingresses, Secrets and Services; each is a Warning event too.',
      registers,
    }),
    version: new Gauge({
      name: 'postern_edge_table_version',
      help: 'How many routing tables there have been since the start.',
      registers,
    }),
  };
}

function addExpiryGauge(registers: Registry[], read: () => Iterable<ServedCertificate>): void {
  const gauge = new Gauge({
    name: 'postern_edge_certificate_expiry_timestamp_seconds',
    help: 'When a certificate that the edge serves expires, by its Secret, in seconds since the epoch.',
    labelNames: ['secret'] as const,
    registers,
    collect() {
      gauge.reset();
      for (const { secret, notAfterMs } of read()) gauge.set({ secret }, notAfterMs / 1_000);
    },
  });
}
