import { describe, expect, it } from 'vitest';
import { createMetrics, type Metrics } from './metrics.ts';

/** The sample lines of one metric, without comments. */
async function samples(metrics: Metrics, name: string): Promise<string[]> {
  const text = await metrics.render();
  return text.split('\n').filter(line => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

describe('metrics', () => {
  it("counts reconciles under cert-manager's names, errors apart from conflicts", async () => {
    const metrics = createMetrics({ process: false });
    const sites = metrics.controller('sites');
    metrics.controller('idle');
    for (const outcome of ['success', 'success', 'error', 'conflict'] as const) sites.reconciled(outcome, 12);
    expect(await samples(metrics, 'certmanager_controller_sync_call_count')).toEqual([
      'certmanager_controller_sync_call_count{controller="sites"} 4',
      'certmanager_controller_sync_call_count{controller="idle"} 0',
    ]);
    expect(await samples(metrics, 'certmanager_controller_sync_error_count')).toEqual([
      'certmanager_controller_sync_error_count{controller="sites"} 1',
      'certmanager_controller_sync_error_count{controller="idle"} 0',
    ]);
    expect(await samples(metrics, 'postern_reconcile_duration_seconds_count')).toEqual([
      'postern_reconcile_duration_seconds_count{controller="sites"} 4',
    ]);
  });

  it('shows the queues', async () => {
    const metrics = createMetrics({ process: false });
    const sites = metrics.controller('sites');
    sites.queueDepth(7);
    sites.queueWaited(20);
    sites.queueRetried();
    expect(await samples(metrics, 'postern_queue_depth')).toEqual([
      'postern_queue_depth{controller="sites"} 7',
    ]);
    expect(await samples(metrics, 'postern_queue_wait_seconds_sum')).toEqual([
      'postern_queue_wait_seconds_sum{controller="sites"} 0.02',
    ]);
    expect(await samples(metrics, 'postern_queue_retries_total')).toEqual([
      'postern_queue_retries_total{controller="sites"} 1',
    ]);
  });

  it('counts requests to ACME servers and to the Kubernetes API', async () => {
    const metrics = createMetrics({ process: false });
    const acme = { scheme: 'https', host: 'acme.test', action: 'newOrder', method: 'POST', status: 201 };
    metrics.acmeRequest({ ...acme, durationMs: 250 });
    metrics.kubeRequest({ verb: 'update', resource: 'secrets', status: 200, durationMs: 10 });
    metrics.kubeRequest({ verb: 'update', resource: 'secrets', status: 0, durationMs: 10 });
    const labels = 'scheme="https",host="acme.test",action="newOrder",method="POST",status="201"';
    expect(await samples(metrics, 'certmanager_http_acme_client_request_count')).toEqual([
      `certmanager_http_acme_client_request_count{${labels}} 1`,
    ]);
    expect(await samples(metrics, 'certmanager_http_acme_client_request_duration_seconds_sum')).toEqual([
      `certmanager_http_acme_client_request_duration_seconds_sum{${labels}} 0.25`,
    ]);
    expect(await samples(metrics, 'postern_kube_requests_total')).toEqual([
      'postern_kube_requests_total{verb="update",resource="secrets",code="200"} 1',
      'postern_kube_requests_total{verb="update",resource="secrets",code="error"} 1',
    ]);
    expect(await samples(metrics, 'postern_kube_request_duration_seconds_count')).toEqual([
      'postern_kube_request_duration_seconds_count{verb="update"} 2',
    ]);
  });

  it('reads the certificates at each scrape, and leaves nothing behind of one that is gone', async () => {
    const metrics = createMetrics({ process: false });
    const certificate = {
      metadata: { namespace: 'shop', name: 'site' },
      spec: { issuerRef: { name: 'le', kind: 'ClusterIssuer' } },
      status: {
        conditions: [{ type: 'Ready', status: 'True' }],
        notBefore: '2026-01-01T00:00:00Z',
        notAfter: '2026-04-01T00:00:00Z',
      },
    };
    let certificates = [certificate];
    metrics.certificates({
      certificates: () => certificates,
      issuers: () => [{ metadata: { namespace: 'shop', name: 'ca' } }],
      clusterIssuers: () => [
        { metadata: { name: 'le' }, status: { conditions: [{ type: 'Ready', status: 'False' }] } },
      ],
    });
    const labels =
      'name="site",namespace="shop",issuer_name="le",issuer_kind="ClusterIssuer",issuer_group="cert-manager.io"';
    expect(await samples(metrics, 'certmanager_certificate_ready_status')).toEqual([
      `certmanager_certificate_ready_status{${labels},condition="True"} 1`,
      `certmanager_certificate_ready_status{${labels},condition="False"} 0`,
      `certmanager_certificate_ready_status{${labels},condition="Unknown"} 0`,
    ]);
    for (const [name, value] of [
      ['expiration', 1775001600],
      ['not_after', 1775001600],
      ['not_before', 1767225600],
      ['renewal', 0],
    ]) {
      expect(await samples(metrics, `certmanager_certificate_${name}_timestamp_seconds`)).toEqual([
        `certmanager_certificate_${name}_timestamp_seconds{${labels}} ${value}`,
      ]);
    }
    expect(await samples(metrics, 'certmanager_issuer_ready_status')).toContain(
      'certmanager_issuer_ready_status{name="ca",namespace="shop",condition="Unknown"} 1',
    );
    expect(await samples(metrics, 'certmanager_clusterissuer_ready_status')).toContain(
      'certmanager_clusterissuer_ready_status{name="le",condition="False"} 1',
    );
    certificates = [];
    expect(await samples(metrics, 'certmanager_certificate_ready_status')).toEqual([]);
  });

  it('writes a label of any text as one label', async () => {
    const metrics = createMetrics({ process: false });
    metrics.certificates({
      certificates: () => [],
      issuers: () => [],
      clusterIssuers: () => [{ metadata: { name: 'a "b"\\\nc' } }],
    });
    expect(await samples(metrics, 'certmanager_clusterissuer_ready_status')).toContain(
      'certmanager_clusterissuer_ready_status{name="a \\"b\\"\\\\\\nc",condition="Unknown"} 1',
    );
  });

  it('reads the reflectors at each scrape', async () => {
    const metrics = createMetrics({ process: false });
    metrics.reflectors(() => [{ resource: 'secrets', synced: true, relists: 3, lastContact: 1_500 }]);
    expect(await samples(metrics, 'postern_reflector_relists')).toEqual([
      'postern_reflector_relists{resource="secrets"} 3',
    ]);
    expect(await samples(metrics, 'postern_reflector_synced')).toEqual([
      'postern_reflector_synced{resource="secrets"} 1',
    ]);
    expect(await samples(metrics, 'postern_reflector_last_contact_timestamp_seconds')).toEqual([
      'postern_reflector_last_contact_timestamp_seconds{resource="secrets"} 1.5',
    ]);
  });

  it('says whether this replica leads, which version runs, and how the process does', async () => {
    const metrics = createMetrics({ version: '1.2.3' });
    metrics.leading(true);
    expect(await samples(metrics, 'postern_leader')).toEqual(['postern_leader 1']);
    expect(await samples(metrics, 'postern_build_info')).toEqual(['postern_build_info{version="1.2.3"} 1']);
    expect(await samples(metrics, 'process_resident_memory_bytes')).toHaveLength(1);
  });
});
