import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { createEdgeInstruments } from './edge-instruments.ts';

it('counts what the edge tells of itself', async () => {
  const registry = new Registry();
  const edge = createEdgeInstruments(registry);
  edge.request({ ingress: 'shop/web', statusClass: '2xx', secure: true, durationMs: 12 });
  edge.request({ ingress: 'shop/web', statusClass: '2xx', secure: true, durationMs: 3 });
  edge.upstreamError('shop/web', 'ECONNREFUSED');
  edge.handshakeFailed();
  edge.refused('host');
  edge.compiled({ durationMs: 4, hosts: 3, findings: 1 });
  const lines = (await registry.metrics()).split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'postern_edge_requests_total{ingress="shop/web",code="2xx",tls="true"} 2',
      'postern_edge_request_duration_seconds_count 2',
      'postern_edge_upstream_errors_total{ingress="shop/web",code="ECONNREFUSED"} 1',
      'postern_edge_handshake_failures_total 1',
      'postern_edge_refused_total{reason="host"} 1',
      'postern_edge_hosts 3',
      'postern_edge_findings 1',
    ]),
  );
});
