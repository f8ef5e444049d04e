import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { certificates } from '../../src/api/cert-manager/certificate.ts';
import { configMaps } from '../../src/api/kubernetes/core.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { type Caches, createCaches } from '../../src/kube/caches.ts';
import { createClusterApi } from '../../src/kube/cluster/cluster-api.ts';
import { describeKubeApi } from '../../src/kube/contract.testing.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import { createEventRecorder } from '../../src/kube/events.ts';
import type { KubeApi } from '../../src/kube/port.ts';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { ifAvailable } from '../servers/install.ts';
import { provisionKubernetes } from '../servers/kubernetes.ts';
import { kubernetesLines } from '../servers/versions.ts';

const repository = join(import.meta.dirname, '..', '..');

/** Applies `crds/`, in the form for this line, and waits until they are served. */
async function applyCrds(cluster: Cluster): Promise<void> {
  const folder = join(repository, 'crds', ...(cluster.line === '1.20' ? ['kubernetes-1.20'] : []));
  const files = (await readdir(folder)).filter(file => file.endsWith('.yaml'));
  for (const file of files) await cluster.apply(await readFile(join(folder, file), 'utf8'));
  await cluster.kubectl(['wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all']);
}

for (const line of kubernetesLines) {
  const servers = await ifAvailable(provisionKubernetes(line));

  describe.skipIf(servers === undefined)(`the cluster adapter on Kubernetes ${line}`, () => {
    let dir: string;
    let cluster: Cluster;
    beforeAll(async () => {
      dir = await mkdtemp(join(tmpdir(), 'postern-kube-'));
      cluster = await startCluster({ line, dir });
      await applyCrds(cluster);
    });
    afterAll(async () => {
      await cluster?.stop();
      await rm(dir, { recursive: true });
    });

    const connect = (kubeconfigPath = cluster.adminKubeconfig): KubeApi & { close(): void } =>
      createClusterApi({ kubeconfigPath, logger: silentLogger, userAgent: 'postern-e2e' });

    describeKubeApi(`Kubernetes ${line}`, async () => {
      const api = connect();
      // Established comes a moment before the resource is served.
      await vi.waitFor(() => api.list(certificates), { timeout: 10_000, interval: 100 });
      return {
        api,
        async expiredVersion() {
          const { resourceVersion } = await api.list(configMaps);
          for (const name of ['filler-1', 'filler-2']) {
            await api.create(configMaps, { metadata: { namespace: 'default', name } });
          }
          await cluster.compactEtcd();
          await cluster.restartApiServer();
          return resourceVersion;
        },
        close: async () => api.close(),
      };
    });

    describe('the caches', () => {
      let api: KubeApi & { close(): void };
      let caches: Caches;
      let controller: AbortController;
      beforeAll(() => {
        api = connect();
        controller = new AbortController();
        caches = createCaches({ api, clock: systemClock, logger: silentLogger });
      });
      afterAll(() => {
        controller.abort();
        api.close();
      });

      const colourIn = (name: string): string | undefined =>
        caches.cacheOf(configMaps).get({ namespace: 'default', name })?.data?.['colour'];
      const aConfigMap = (name: string, colour: string): KubeObject & { data: Record<string, string> } => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { namespace: 'default', name },
        data: { colour },
      });

      it('follow the API server through a restart, and through a history that it has lost', async () => {
        const cache = caches.cacheOf(configMaps);
        caches.start(controller.signal);
        await caches.synced;
        expect(
          cache.get({ namespace: 'kube-system', name: 'extension-apiserver-authentication' })?.kind,
        ).toBe('ConfigMap');

        await api.create(configMaps, aConfigMap('followed', 'red'));
        await expect.poll(() => colourIn('followed')).toBe('red');

        await cluster.restartApiServer();
        await api.mergePatch(
          configMaps,
          { namespace: 'default', name: 'followed' },
          aConfigMap('followed', 'blue'),
        );
        await expect.poll(() => colourIn('followed'), { timeout: 20_000 }).toBe('blue');

        // Deleted while the server forgets how: only a list can tell.
        await api.create(configMaps, aConfigMap('missed', 'red'));
        await expect.poll(() => colourIn('missed')).toBe('red');
        await api.delete(configMaps, { namespace: 'default', name: 'missed' });
        await api.create(configMaps, aConfigMap('later', 'green'));
        await cluster.compactEtcd();
        await cluster.restartApiServer();
        await expect
          .poll(() => [colourIn('missed'), colourIn('later')], { timeout: 20_000 })
          .toEqual([undefined, 'green']);
      }, 120_000);

      it('show our own writes at once', async () => {
        const cache = caches.cacheOf(configMaps);
        const key = { namespace: 'default', name: 'own' };
        for (let round = 0; round < 20; round++) {
          const created = await caches.writer.create(configMaps, aConfigMap('own', 'red'));
          expect(cache.get(key)?.metadata.uid).toBe(created.metadata.uid);
          await caches.writer.mergePatch(configMaps, key, { data: { colour: 'blue' } });
          expect(colourIn('own')).toBe('blue');
          await caches.writer.delete(configMaps, key, { uid: created.metadata.uid });
          expect(cache.get(key)).toBeUndefined();
        }
      });
    });

    it('is refused by name without rights, and goes on as soon as they are granted', async () => {
      await cluster.apply(
        'apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: reader, namespace: default }\n',
      );
      const api = connect(await cluster.serviceAccountKubeconfig('default', 'reader'));
      const controller = new AbortController();
      try {
        const refused = await api.list(configMaps).catch((thrown: unknown) => thrown);
        expect(isKubeError(refused, 'KUBE_FORBIDDEN')).toBe(true);
        expect(String(refused)).toContain('system:serviceaccount:default:reader');

        const caches = createCaches({ api, clock: systemClock, logger: silentLogger, namespace: 'default' });
        const cache = caches.cacheOf(configMaps);
        caches.start(controller.signal);
        await expect.poll(() => caches.status()[0]?.lastError?.code).toBe('KUBE_FORBIDDEN');
        expect(cache.isSynced).toBe(false);
        await cluster.kubectl(['create', 'role', 'reader', '--verb=list,watch,get', '--resource=configmaps']);
        await cluster.kubectl([
          'create',
          'rolebinding',
          'reader',
          '--role=reader',
          '--serviceaccount=default:reader',
        ]);
        await caches.synced;
        expect(caches.status()[0]?.lastError).toBeUndefined();
      } finally {
        controller.abort();
        api.close();
      }
    });

    it('writes events that kubectl shows, repeats counted', async () => {
      const api = connect();
      try {
        const object = await api.create(configMaps, {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { namespace: 'default', name: 'told' },
        });
        const recorder = createEventRecorder({ api, clock: systemClock, logger: silentLogger });
        recorder.warning(object, 'Contract', 'it was told');
        recorder.warning(object, 'Contract', 'it was told');
        await recorder.flush();
        const shown = await cluster.kubectl([
          'get',
          'events',
          '--field-selector=involvedObject.name=told',
          '-o=jsonpath={range .items[*]}{.type} {.reason} {.count} {.source.component} {.message}{"\\n"}{end}',
        ]);
        expect(shown).toBe('Warning Contract 2 postern it was told\n');
      } finally {
        api.close();
      }
    });
  });
}
