import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { createEdgeInstruments } from './edge-instruments.ts';
import { countsOfIngress, durationBucketsMs, type MetricDelta, statusClasses } from './edge-measurements.ts';

function delta(facts: Partial<MetricDelta>): MetricDelta {
  return {
    requests: { ingresses: [], counts: new Float64Array(0) },
    durations: new Float64Array(durationBucketsMs.length + 1),
    durationSumMs: 0,
    upstreamErrors: new Map(),
    handshakes: new Map(),
    handshakesFailed: 0,
    refused: new Map(),
    connections: 0,
    ...facts,
  };
}

it('sums up what the workers counted', async () => {
  const registry = new Registry();
  const edge = createEdgeInstruments(registry);
  const counts = new Float64Array(countsOfIngress * 2);
  // One answer of 4xx in plain text, and two of 2xx over TLS.
  counts[4] = 1;
  counts[countsOfIngress + statusClasses.length + 2] = 2;
  const durations = new Float64Array(durationBucketsMs.length + 1);
  durations[2] = 1;
  durations[durationBucketsMs.length] = 1;
  const requests = { ingresses: ['', 'shop/web'], counts };
  edge.counted(1, delta({ requests, durations, durationSumMs: 90_004, connections: 5 }));
  edge.counted(2, delta({ requests, handshakes: new Map([['TLSv1.3\ttrue', 3]]), connections: 7 }));
  edge.counted(
    2,
    delta({
      upstreamErrors: new Map([['shop/web\tECONNREFUSED', 1]]),
      handshakesFailed: 1,
      refused: new Map([['host', 1]]),
      connections: 6,
    }),
  );
  edge.workerStarted();
  edge.compiled({ durationMs: 4, hosts: 3, findings: 1, version: 9 });
  edge.certificates(() => [{ secret: 'shop/tls', notAfterMs: 1_800_000_000_000 }]);
  const lines = (await registry.metrics()).split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'postern_edge_requests_total{ingress="",code="4xx",tls="false"} 2',
      'postern_edge_requests_total{ingress="shop/web",code="2xx",tls="true"} 4',
      'postern_edge_request_duration_seconds_bucket{le="0.0025"} 0',
      'postern_edge_request_duration_seconds_bucket{le="0.005"} 1',
      'postern_edge_request_duration_seconds_bucket{le="60"} 1',
      'postern_edge_request_duration_seconds_bucket{le="+Inf"} 2',
      'postern_edge_request_duration_seconds_sum 90.004',
      'postern_edge_request_duration_seconds_count 2',
      'postern_edge_upstream_errors_total{ingress="shop/web",code="ECONNREFUSED"} 1',
      'postern_edge_handshakes_total{version="TLSv1.3",resumed="true"} 3',
      'postern_edge_handshake_failures_total 1',
      'postern_edge_connections{worker="1"} 5',
      'postern_edge_connections{worker="2"} 6',
      'postern_edge_refused_total{reason="host"} 1',
      'postern_edge_worker_starts_total 1',
      'postern_edge_hosts 3',
      'postern_edge_findings 1',
      'postern_edge_table_version 9',
      'postern_edge_certificate_expiry_timestamp_seconds{secret="shop/tls"} 1800000000',
    ]),
  );
  edge.workerLost(1);
  expect(await registry.metrics()).not.toContain('worker="1"');
});
