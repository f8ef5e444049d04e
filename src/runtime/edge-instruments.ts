import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What the edge tells of itself. Calls are cheap and never throw. */
export interface EdgeInstruments {
  request(facts: { statusClass: string; secure: boolean; durationMs: number; ingress: string }): void;
  upstreamError(ingress: string, code: string): void;
  handshakeFailed(): void;
  refused(reason: string): void;
  compiled(facts: { durationMs: number; hosts: number; findings: number }): void;
}

/** The measurements of the edge, in a registry. */
export function createEdgeInstruments(registry: Registry): EdgeInstruments {
  const registers = [registry];
  const requests = new Counter({
    name: 'postern_edge_requests_total',
    help: 'Requests that the edge answered, by Ingress, class of the status and whether they came over TLS.',
    labelNames: ['ingress', 'code', 'tls'] as const,
    registers,
  });
  const seconds = new Histogram({
    name: 'postern_edge_request_duration_seconds',
    help: 'From the head of a request to the end of its answer.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
    registers,
  });
  const upstreamErrors = new Counter({
    name: 'postern_edge_upstream_errors_total',
    help: 'Requests that an upstream failed, by Ingress and error code.',
    labelNames: ['ingress', 'code'] as const,
    registers,
  });
  const handshakes = new Counter({
    name: 'postern_edge_handshake_failures_total',
    help: 'TLS handshakes of clients that failed.',
    registers,
  });
  const refused = new Counter({
    name: 'postern_edge_refused_total',
    help: 'Requests that were refused as malformed or ambiguous, by reason.',
    labelNames: ['reason'] as const,
    registers,
  });
  const compileSeconds = new Histogram({
    name: 'postern_edge_compile_duration_seconds',
    help: 'How long a compilation of the routing table takes.',
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
  });
  const hosts = new Gauge({ name: 'postern_edge_hosts', help: 'Hosts in the routing table.', registers });
  const findings = new Gauge({
    name: 'postern_edge_findings',
    help: 'What the edge found wrong with Ingresses, Secrets and Services; each is a Warning event too.',
    registers,
  });
  return {
    request({ ingress, statusClass, secure, durationMs }) {
      requests.inc({ ingress, code: statusClass, tls: String(secure) });
      seconds.observe(Math.max(0, durationMs) / 1_000);
    },
    upstreamError: (ingress, code) => upstreamErrors.inc({ ingress, code }),
    handshakeFailed: () => handshakes.inc(),
    refused: reason => refused.inc({ reason }),
    compiled(facts) {
      compileSeconds.observe(Math.max(0, facts.durationMs) / 1_000);
      hosts.set(facts.hosts);
      findings.set(facts.findings);
    },
  };
}
