import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { edgeAddress } from '../netns.ts';
import { ifAvailable } from '../servers/install.ts';
import { provisionKubernetes } from '../servers/kubernetes.ts';
import { CommandFailed } from '../servers/run.ts';
import { kubernetesLines } from '../servers/versions.ts';
import { type Cluster, startCluster } from './cluster.ts';

const minuteMs = 60_000;

for (const line of kubernetesLines) {
  const servers = await ifAvailable(provisionKubernetes(line));

  describe.skipIf(servers === undefined)(`a cluster of the line ${line}`, { timeout: minuteMs }, () => {
    let dir: string;
    let cluster: Cluster;
    beforeAll(async () => {
      dir = await mkdtemp(join(tmpdir(), 'postern-cluster-'));
      cluster = await startCluster({ line, dir });
    }, minuteMs);
    afterAll(async () => {
      await cluster?.stop();
      await rm(dir, { recursive: true });
    });

    test('denies a ServiceAccount what no role grants, and allows it afterwards', async () => {
      await cluster.apply(
        'apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: writer, namespace: default }\n',
      );
      const kubeconfig = await cluster.serviceAccountKubeconfig('default', 'writer');
      const create = ['--kubeconfig', kubeconfig, 'create', 'configmap', 'probe', '--from-literal=a=b'];
      const denied = await cluster.kubectl(create).catch((error: unknown) => error);
      expect(denied).toBeInstanceOf(CommandFailed);
      expect((denied as CommandFailed).stderr).toContain('system:serviceaccount:default:writer');

      await cluster.kubectl(['create', 'role', 'writer', '--verb=create', '--resource=configmaps']);
      await cluster.kubectl([
        'create',
        'rolebinding',
        'writer',
        '--role=writer',
        '--serviceaccount=default:writer',
      ]);
      await expect
        .poll(() => cluster.kubectl(create).catch(String), { timeout: 10_000 })
        .toContain('created');
    });

    test('accepts an EndpointSlice and mirrored Endpoints with an address of the test bed', async () => {
      const version = line === '1.20' ? 'v1beta1' : 'v1';
      await cluster.apply(endpointObjects(`discovery.k8s.io/${version}`));
      const slices = ['get', 'endpointslices', '-o', 'jsonpath={.items[*].endpoints[*].addresses[*]}'];
      expect(await cluster.kubectl([...slices, '--field-selector=metadata.name=own'])).toBe(edgeAddress);
      const mirrored = [...slices, '-l', 'kubernetes.io/service-name=mirrored'];
      await expect.poll(() => cluster.kubectl(mirrored), { timeout: 20_000 }).toBe(edgeAddress);
    });

    test('collects what an owner leaves behind', async () => {
      await cluster.kubectl(['create', 'configmap', 'owner']);
      const uid = await cluster.kubectl(['get', 'configmap', 'owner', '-o', 'jsonpath={.metadata.uid}']);
      const owner = `{ apiVersion: v1, kind: ConfigMap, name: owner, uid: ${uid} }`;
      await cluster.apply(
        `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: owned, ownerReferences: [${owner}] }\n`,
      );
      await cluster.kubectl(['delete', 'configmap', 'owner']);
      const left = () => cluster.kubectl(['get', 'configmap', 'owned', '--ignore-not-found', '-o', 'name']);
      await expect.poll(left, { timeout: 30_000 }).toBe('');
    });

    test('keeps its objects over a restart of the API server, and forgets old revisions when told to', async () => {
      const revision = await cluster.kubectl([
        'get',
        'namespace',
        'default',
        '-o',
        'jsonpath={.metadata.resourceVersion}',
      ]);
      await cluster.kubectl(['create', 'configmap', 'kept']);
      await cluster.compactEtcd();
      await cluster.restartApiServer();
      expect(await cluster.kubectl(['get', 'configmap', 'kept', '-o', 'name'])).toBe('configmap/kept\n');
      const watch = [
        'get',
        '--raw',
        `/api/v1/configmaps?watch=1&timeoutSeconds=2&resourceVersion=${revision}`,
      ];
      expect(await cluster.kubectl(watch).catch(String)).toMatch(
        /too old resource version|compacted|Expired/,
      );
    });

    test('tells what it costs', async () => {
      expect(cluster.processes.apiServer.cpuSeconds()).toBeGreaterThan(0.1);
      expect(await cluster.metrics()).toContain('apiserver_request_total');
      expect(await readFile(cluster.adminKubeconfig, 'utf8')).toContain(cluster.url);
    });
  });
}

function endpointObjects(discovery: string): string {
  return `
apiVersion: ${discovery}
kind: EndpointSlice
metadata: { name: own, labels: { kubernetes.io/service-name: own } }
addressType: IPv4
endpoints: [{ addresses: ['${edgeAddress}'], conditions: { ready: true } }]
ports: [{ name: http, port: 80, protocol: TCP }]
---
apiVersion: v1
kind: Service
metadata: { name: mirrored }
spec: { ports: [{ name: http, port: 80 }] }
---
apiVersion: v1
kind: Endpoints
metadata: { name: mirrored }
subsets: [{ addresses: [{ ip: ${edgeAddress} }], ports: [{ name: http, port: 80 }] }]
`;
}
