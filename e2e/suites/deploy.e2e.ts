import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { chartFolder, renderChart } from '../../deploy/chart.ts';
import { type Config, loadConfig } from '../../src/config/config.ts';
import { createAuthority } from '../../src/controllers/authority.testing.ts';
import { mayDo, rightsIn, type ServiceAccountName } from '../harness/api-rights.ts';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { freePort } from '../harness/free-port.ts';
import { startPostern, stopPostern } from '../harness/postern.ts';
import type { ServerProcess } from '../harness/server-process.ts';
import { solverAddress } from '../netns.ts';
import { provisionHelm } from '../servers/helm.ts';
import { ifAvailable } from '../servers/install.ts';
import { provisionKubernetes } from '../servers/kubernetes.ts';
import { CommandFailed, run } from '../servers/run.ts';
import { kubernetesLines, kubernetesPins } from '../servers/versions.ts';
import {
  clusterIssuerGrants,
  forbiddenToAll,
  forbiddenToEdge,
  grants,
  leaseGrants,
  publishGrants,
  rightsOf,
} from './deploy-permissions.ts';

/*
 * deploy/ on real API servers: the objects are taken, the ServiceAccounts may do what Postern does and nothing else,
 * and Postern works with them.
 */

const repository = join(import.meta.dirname, '../..');
const helm = await ifAvailable(provisionHelm());

interface Container {
  readonly args: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly securityContext: object;
}

/** An object of a rendering, as far as the tests look into it. */
interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Record<string, string>;
    readonly labels?: Record<string, string>;
  };
  readonly rules?: readonly Record<'apiGroups' | 'resources' | 'verbs', readonly string[]>[];
  readonly spec?: {
    readonly template: {
      readonly metadata: { readonly labels: Record<string, string> };
      readonly spec: Record<string, unknown> & {
        readonly serviceAccountName: string;
        readonly containers: readonly [Container];
      };
    };
  };
}

function objectsOf(yaml: string): Rendered[] {
  return parseAllDocuments(yaml)
    .map(document => document.toJS() as Rendered | null)
    .filter(object => object !== null);
}

const ofKind = (objects: readonly Rendered[], kind: string) => objects.filter(object => object.kind === kind);

/** The name of the Service that leads to the edge. */
function serviceName(objects: readonly Rendered[]): string {
  const found = ofKind(objects, 'Service').find(({ spec }) => JSON.stringify(spec).includes('"port":443'));
  if (found === undefined) throw new Error('there is no Service for the edge');
  return found.metadata.name;
}

function podSpecOf(deployment: Rendered | undefined) {
  if (deployment?.spec === undefined) throw new Error('there is no such Deployment');
  return deployment.spec.template.spec;
}

/** The flags of a Deployment, as the program reads them. */
function configOf(deployment: Rendered): Config {
  const [command, ...argv] = podSpecOf(deployment).containers[0].args;
  expect(command).toBe('run');
  const config = loadConfig({
    argv,
    environment: { POD_IP: '192.0.2.7' },
    readFile: () => '',
    isTty: false,
    homeDir: '/',
    addresses: () => [],
  });
  if (config === 'help') throw new Error('the flags ask for help');
  return config;
}

/** The chart with much of it turned on. */
const everything = {
  split: true,
  namespace: 'shop',
  replicas: 3,
  edge: { replicas: 1, resources: { limits: { memory: '1Gi' } } },
  image: { digest: `sha256:${'0'.repeat(64)}` },
  imagePullSecrets: [{ name: 'pull' }],
  ingressShim: {
    defaultIssuerName: 'letsencrypt-prod',
    defaultIssuerKind: 'ClusterIssuer',
    defaultIssuerGroup: 'cert-manager.io',
  },
  ingressClass: { default: true, controller: 'other.example/ingress', alsoServe: ['nginx'] },
  logLevel: 'debug',
  extraArgs: ['--acme-http01-solver-nameservers=192.0.2.53:53'],
  service: {
    type: 'NodePort',
    annotations: { a: 'b' },
    externalTrafficPolicy: 'Local',
    nodePorts: { http: 30080, https: 30443 },
  },
  serviceAccount: { annotations: { a: 'b' } },
  openshift: true,
  tolerations: [{ operator: 'Exists' }],
  affinity: { nodeAffinity: {} },
  priorityClassName: 'system-cluster-critical',
  podAnnotations: { a: 'b' },
  podLabels: { c: 'd' },
  shutdownDelaySeconds: 0,
};

describe('the files of deploy/', () => {
  it('are what they are made from says', async () => {
    await run(process.execPath, [join(repository, 'deploy/render.ts'), '--check']);
  });

  it('are explained in docs/install.md, right by right', async () => {
    const docs = await readFile(join(repository, 'docs/install.md'), 'utf8');
    const section = (heading: string) => docs.split(`### ${heading}\n`)[1]?.split('\n#')[0] ?? '';
    for (const [part, heading] of [
      ['controllers', 'Controllers'],
      ['edge', 'Edge'],
    ] as const) {
      const rows = [...section(heading).matchAll(/^\| `([^`]+)`[^|]*\| ([^|]+) \|/gm)].map(
        row => `${row[1]} ${row[2]}`,
      );
      expect(rows.toSorted()).toEqual(grants[part].map(one => `${one.resource} ${one.verbs}`).toSorted());
    }
  });
});

describe.skipIf(helm === undefined)('the chart', () => {
  const render = async (
    values: object,
    kubeVersion = kubernetesPins.current.kubernetes,
  ): Promise<Rendered[]> => objectsOf(await renderChart({ helm: helm?.helm ?? '', kubeVersion, values }));

  test('has no complaints of helm lint', async () => {
    await run(helm?.helm ?? '', ['lint', '--strict', chartFolder]);
  });

  test.each([
    [{ replicas: 'two' }, /replicas.*got string, want integer/],
    [{ ingresShim: { defaultIssuerName: 'a' } }, /ingresShim/],
    [{ image: { tagg: 'a' } }, /image.*tagg/],
    [{ service: { type: 'LB' } }, /service\/type.*LoadBalancer/],
    [{ logLevel: 'trace' }, /logLevel.*debug/],
    [{ namespace: 'Shop' }, /namespace.*Shop/],
    [{ extraArgs: ['log-level=debug'] }, /extraArgs.*log-level=debug/],
    [{ ingressShim: { defaultIssuerKind: 'ClusterIssuer' } }, /ingressShim\.defaultIssuerName/],
  ])('refuses %j, and names it', async (values, message) => {
    const refusal = render(values);
    await expect(refusal).rejects.toBeInstanceOf(CommandFailed);
    await expect(refusal).rejects.toMatchObject({ stderr: expect.stringMatching(message) as string });
  });

  test('gives the program flags that it understands', async () => {
    const [all] = ofKind(await render({}), 'Deployment').map(configOf);
    expect(all).toMatchObject({
      components: { controllers: true, edge: true },
      clusterResourceNamespace: 'postern-system',
      solver: { address: '192.0.2.7' },
      leaderElection: { namespace: 'postern-system' },
      log: { format: 'json', level: 'info' },
    });
    expect(all?.namespace).toBeUndefined();
    expect(all?.published).toEqual({
      kind: 'service',
      service: { namespace: 'postern-system', name: 'postern' },
    });
    const [unpublished] = ofKind(await render({ service: { publish: false } }), 'Deployment').map(configOf);
    expect(unpublished?.published).toBeUndefined();

    const [controllers, edge] = ofKind(await render(everything), 'Deployment').map(configOf);
    expect(controllers).toMatchObject({
      components: { controllers: true, edge: false },
      namespace: 'shop',
      clusterResourceNamespace: 'shop',
      defaultIssuer: { name: 'letsencrypt-prod', kind: 'ClusterIssuer', group: 'cert-manager.io' },
      http01: { nameservers: ['192.0.2.53:53'] },
      leaderElection: { namespace: 'postern-system' },
      log: { level: 'debug' },
    });
    expect(edge).toMatchObject({
      components: { controllers: false, edge: true },
      namespace: 'shop',
      ingressClasses: ['postern', 'nginx'],
    });
  });

  test('opens the ports that the program listens on', async () => {
    const [deployment] = ofKind(await render({}), 'Deployment');
    if (deployment === undefined) throw new Error('there is no Deployment');
    const { httpListen, httpsListen, solver, metricsListen } = configOf(deployment);
    const ports = podSpecOf(deployment).containers[0].ports.map(port => [port.name, port.containerPort]);
    expect(Object.fromEntries(ports)).toEqual({
      http: httpListen.port,
      https: httpsListen.port,
      solver: solver.listen.port,
      metrics: metricsListen.port,
    });
  });

  test.each([
    ['one Deployment', {}, 1],
    ['two', { split: true }, 2],
  ])('runs the pods of %s with as little as there is', async (_name, values, count) => {
    const deployments = ofKind(await render(values), 'Deployment');
    expect(deployments).toHaveLength(count);
    for (const deployment of deployments) {
      const spec = podSpecOf(deployment);
      expect(spec).toMatchObject({
        enableServiceLinks: false,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 65_532,
          runAsGroup: 65_532,
          seccompProfile: { type: 'RuntimeDefault' },
        },
      });
      expect(spec.containers).toHaveLength(1);
      expect(spec.containers[0].securityContext).toEqual({
        allowPrivilegeEscalation: false,
        privileged: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      for (const field of ['hostNetwork', 'hostPID', 'hostIPC', 'volumes'])
        expect(spec).not.toHaveProperty(field);
    }
  });

  test.each([
    ['by default', {}],
    ['with everything on', everything],
  ])('has no wildcard in its rules %s', async (_name, values) => {
    for (const { rules = [] } of await render(values))
      for (const rule of rules) expect(Object.values(rule).flat()).not.toContain('*');
  });

  test('asks for endpoints/restricted on OpenShift alone, and leaves the user to it', async () => {
    const restricted = (objects: Rendered[]) =>
      ofKind(objects, 'ClusterRole')
        .flatMap(({ rules = [] }) => rules)
        .flatMap(({ resources }) => resources)
        .filter(resource => resource.endsWith('/restricted'));
    expect(restricted(await render({}))).toEqual([]);
    const onOpenShift = await render({ openshift: true });
    expect(restricted(onOpenShift)).toEqual(['endpoints/restricted', 'endpointslices/restricted']);
    expect(podSpecOf(ofKind(onOpenShift, 'Deployment')[0])['securityContext']).toEqual({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
  });

  test.each([
    [{}, 6],
    [{ crds: { enabled: false } }, 0],
    [{ installCRDs: true, crds: { enabled: false } }, 6],
    [{ installCRDs: false }, 0],
    [{ emissary: { enabled: true } }, 8],
    [{ crds: { enabled: false }, emissary: { enabled: true } }, 2],
  ])('with %j has %i CRDs', async (values, count) => {
    expect(ofKind(await render(values), 'CustomResourceDefinition')).toHaveLength(count);
  });

  test.each([
    ['1.20.2', 'crds/kubernetes-1.20'],
    ['1.24.0', 'crds/kubernetes-1.20'],
    ['1.25.0', 'crds'],
  ])('on %s has the CRDs of %s, and keeps them', async (version, folder) => {
    for (const { metadata, ...rest } of ofKind(await render({}, version), 'CustomResourceDefinition')) {
      const [plural = '', ...group] = metadata.name.split('.');
      const file = join(repository, folder, `${group.join('.')}_${plural}.yaml`);
      const [{ metadata: _, ...wanted } = { metadata: undefined }] = objectsOf(await readFile(file, 'utf8'));
      expect(rest).toEqual(wanted);
      expect(metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
    }
    const loose = ofKind(await render({ crds: { keep: false } }, version), 'CustomResourceDefinition');
    for (const { metadata } of loose) expect(metadata).not.toHaveProperty('annotations');
  });
});

/**
 * A shop with an Ingress of its own name to secure. The name is another one each time: what the garbage collector still has
 * to clear away from the time before is none of this suite's business.
 */
const shopWith = (name: string) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
      {
        apiVersion: 'cert-manager.io/v1',
        kind: 'Issuer',
        metadata: { name: 'self', namespace: 'shop' },
        spec: { selfSigned: {} },
      },
      {
        apiVersion: 'cert-manager.io/v1',
        kind: 'ClusterIssuer',
        metadata: { name: `${name}-everywhere` },
        spec: { selfSigned: {} },
      },
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata: { name, namespace: 'shop', annotations: { 'cert-manager.io/issuer': 'self' } },
        spec: {
          ingressClassName: 'postern',
          tls: [{ hosts: ['shop.example'], secretName: name }],
          rules: [{ host: 'shop.example' }],
        },
      },
    ],
  });

/** A ClusterIssuer that signs with a Secret of its own name, in this namespace. */
async function authorityOf(name: string, namespace: string): Promise<string> {
  const { certificate, privateKey } = await createAuthority(name, Date.now());
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, namespace },
        stringData: { 'tls.crt': certificate, 'tls.key': privateKey },
      },
      {
        apiVersion: 'cert-manager.io/v1',
        kind: 'ClusterIssuer',
        metadata: { name },
        spec: { ca: { secretName: name } },
      },
    ],
  });
}

/** One way to install. */
interface Variant {
  readonly name: string;
  readonly release: string;
  readonly namespace: string;
  readonly values: object;
  /** The namespace it is limited to. */
  readonly only?: string;
}

const variants: readonly Variant[] = [
  { name: 'as it is', release: 'postern', namespace: 'postern-system', values: {} },
  { name: 'split in two', release: 'parted', namespace: 'parted', values: { split: true } },
  {
    name: 'limited to a namespace',
    release: 'tenant',
    namespace: 'tenant-system',
    values: { namespace: 'shop', clusterResourceNamespace: 'tenant-system', split: true },
    only: 'shop',
  },
];

for (const line of kubernetesLines) {
  const servers = await ifAvailable(provisionKubernetes(line));
  const is120 = line === '1.20';

  describe.skipIf(servers === undefined)(`deploy/ on Kubernetes ${line}`, () => {
    let dir: string;
    let cluster: Cluster;
    let baseline: readonly string[];
    const processes: ServerProcess[] = [];

    const crds = join(repository, 'crds', is120 ? 'kubernetes-1.20' : '');
    const plainFile = join(repository, 'deploy/manifests', is120 ? 'kubernetes-1.20' : '', 'postern.yaml');
    const helmCli = (...args: string[]) =>
      run(helm?.helm ?? '', args, {
        env: {
          HOME: dir,
          KUBECONFIG: cluster.adminKubeconfig,
          HELM_CACHE_HOME: dir,
          HELM_CONFIG_HOME: dir,
          HELM_DATA_HOME: dir,
        },
      });
    const applyCrds = async () => {
      await cluster.kubectl(['apply', '-f', crds]);
      await cluster.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
    };
    const renderVariant = ({ release, namespace, values }: Variant) =>
      renderChart({
        helm: helm?.helm ?? '',
        kubeVersion: kubernetesPins[line].kubernetes,
        release,
        namespace,
        values: { ...values, crds: { enabled: false } },
      });
    /** What the API server has dropped or changed of what was applied. */
    const differences = (yaml: string) => cluster.kubectl(['diff', '-f', '-'], yaml);
    const removeAll = async (yaml: string) => {
      await cluster.kubectl(['delete', '--ignore-not-found', '--timeout=40s', '-f', '-'], yaml);
    };

    beforeAll(async () => {
      dir = await mkdtemp(join(tmpdir(), 'postern-deploy-'));
      cluster = await startCluster({ line, dir });
      baseline = await rightsIn(cluster, { namespace: 'default', name: 'default' }, 'default');
    });
    afterEach(async () => {
      for (const postern of processes.splice(0)) await stopPostern(postern);
    });
    afterAll(async () => {
      await cluster?.stop();
      await rm(dir, { recursive: true });
    });

    /** What the ServiceAccount may do in the namespace that others may not. */
    const ownRights = async (account: ServiceAccountName, namespace: string) =>
      (await rightsIn(cluster, account, namespace)).filter(right => !baseline.includes(right));

    it.skipIf(helm === undefined)(
      'is installed, upgraded and removed by helm, and its CRDs stay',
      async context => {
        const { gitVersion } = JSON.parse(await cluster.kubectl(['get', '--raw', '/version'])) as {
          gitVersion: string;
        };
        context.skip(
          gitVersion.startsWith('v0.'),
          `this API server calls itself ${gitVersion}, and Helm believes it`,
        );
        const where = ['--namespace', 'by-helm', '--kubeconfig', cluster.adminKubeconfig];
        const installed = await helmCli('install', 'postern', chartFolder, '--create-namespace', ...where);
        expect(installed).toContain('STATUS: deployed');
        expect(installed).toContain('kubectl -n by-helm get service postern');
        await cluster.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
        await cluster.apply(shopWith('by-helm'));

        const names = async () =>
          (await cluster.kubectl(['get', 'deployments', '-n', 'by-helm', '-o', 'name'])).trim().split('\n');
        expect(await names()).toEqual(['deployment.apps/postern']);
        await helmCli('upgrade', 'postern', chartFolder, '--set', 'split=true', ...where);
        expect(await names()).toEqual([
          'deployment.apps/postern-controllers',
          'deployment.apps/postern-edge',
        ]);
        await helmCli('uninstall', 'postern', ...where);
        expect(await cluster.kubectl(['get', 'deployments', '-n', 'by-helm', '-o', 'name'])).toBe('');
        expect(await cluster.kubectl(['get', 'issuers', '-n', 'shop', '-o', 'name'])).toContain('/self');

        const again = await helmCli('install', 'postern', chartFolder, ...where);
        expect(again).toContain('STATUS: deployed');
        await helmCli('uninstall', 'postern', ...where);
      },
    );

    it('takes the plain manifests, and keeps all that they say', async () => {
      await applyCrds();
      await cluster.kubectl(['apply', '-f', plainFile]);
      expect(await differences(await readFile(plainFile, 'utf8'))).toBe('');
    });

    it('lets its pods in where the Pod Security Standard "restricted" is enforced', async () => {
      const deployments = ofKind(objectsOf(await readFile(plainFile, 'utf8')), 'Deployment');
      const spec = podSpecOf(deployments[0]);
      const create = (name: string, podSpec: object) =>
        cluster.kubectl(
          ['create', '--dry-run=server', '-f', '-'],
          JSON.stringify({
            apiVersion: 'v1',
            kind: 'Pod',
            metadata: { name, namespace: 'postern-system' },
            spec: podSpec,
          }),
        );
      expect(await create('good', spec)).toContain('pod/good created');
      // That it is enforced at all; 1.20 has no such admission.
      const bad = create('bad', { ...spec, hostNetwork: true });
      await (is120 ? expect(bad).resolves.toContain('created') : expect(bad).rejects.toThrow(/PodSecurity/));
    });

    it('gives the plain manifests exactly the rights of the table', async () => {
      const account = { namespace: 'postern-system', name: 'postern' };
      const table = [...new Set(rightsOf([...grants.controllers, ...grants.edge], line))];
      expect(await ownRights(account, 'shop')).toEqual(table.toSorted());
      expect(await ownRights(account, 'postern-system')).toEqual(
        [...table, ...leaseGrants, ...publishGrants('postern', undefined)].toSorted(),
      );
    });

    it('refuses the plain manifests what could be used to take over more', async () => {
      const account = { namespace: 'postern-system', name: 'postern' };
      const may = await mayDo(cluster, account, forbiddenToAll);
      expect(forbiddenToAll.filter((_, index) => may[index])).toEqual([]);
      const onCurrent = await mayDo(cluster, account, [
        { resource: 'endpoints', verb: 'update', namespace: 'shop' },
      ]);
      expect(onCurrent).toEqual([is120]);
      // That the question is asked the right way.
      expect(
        await mayDo(cluster, account, [{ resource: 'secrets', verb: 'update', namespace: 'shop' }]),
      ).toEqual([true]);
      await removeAll(await readFile(plainFile, 'utf8'));
    });

    describe.skipIf(helm === undefined).each(variants)('the chart, $name,', variant => {
      const { release, namespace, only } = variant;
      let yaml: string;
      let objects: Rendered[];
      const accountOf = (part: 'controllers' | 'edge'): ServiceAccountName => ({
        namespace,
        name: podSpecOf(deploymentOf(part)).serviceAccountName,
      });
      const deploymentOf = (part: 'controllers' | 'edge'): Rendered => {
        const found = ofKind(objects, 'Deployment').find(deployment => configOf(deployment).components[part]);
        if (found === undefined) throw new Error(`there is no Deployment for the ${part}`);
        return found;
      };

      beforeAll(async () => {
        await applyCrds();
        yaml = await renderVariant(variant);
        objects = objectsOf(yaml);
        for (const name of [namespace, 'shop']) {
          await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }));
        }
        await cluster.apply(yaml);
      });
      afterAll(() => removeAll(yaml));

      it('is taken, and kept as it is', async () => {
        expect(await differences(yaml)).toBe('');
      });

      it('has exactly the rights of the table', async () => {
        const isShared = accountOf('controllers').name === accountOf('edge').name;
        for (const part of ['controllers', 'edge'] as const) {
          const given = isShared ? [...grants.controllers, ...grants.edge] : grants[part];
          const everywhere = only === undefined ? given : given.filter(grant => grant.isClusterScoped);
          const unique = (list: readonly string[]) => [...new Set(list)].toSorted();
          expect(await ownRights(accountOf(part), 'shop')).toEqual(unique(rightsOf(given, line)));
          expect(await ownRights(accountOf(part), 'default')).toEqual(unique(rightsOf(everywhere, line)));
          expect(await ownRights(accountOf(part), namespace)).toEqual(
            unique([
              ...rightsOf(everywhere, line),
              ...(isShared || part === 'controllers'
                ? [
                    ...leaseGrants,
                    ...publishGrants(serviceName(objects), only),
                    ...rightsOf(only === undefined ? [] : clusterIssuerGrants, line),
                  ]
                : []),
            ]),
          );
        }
        if (isShared) return;
        const may = await mayDo(cluster, accountOf('edge'), [...forbiddenToAll, ...forbiddenToEdge]);
        expect([...forbiddenToAll, ...forbiddenToEdge].filter((_, index) => may[index])).toEqual([]);
      });

      it('is enough to secure and serve an Ingress', async () => {
        const started = await Promise.all(ofKind(objects, 'Deployment').map(startAsDeployed));
        await cluster.apply(shopWith(release));
        const { clusterResourceNamespace } = configOf(deploymentOf('controllers'));
        await cluster.apply(await authorityOf(`${release}-authority`, clusterResourceNamespace));
        const [first] = started;
        for (const what of [
          ['certificate', release, '-n', 'shop'],
          ['clusterissuer', `${release}-everywhere`],
          ['clusterissuer', `${release}-authority`],
        ]) {
          await first?.until(
            `${what.join(' ')} is ready`,
            async () => (await readinessOf(what)) === 'True',
            20_000,
          );
        }
        const secret = await cluster.kubectl([
          'get',
          'secret',
          release,
          '-n',
          'shop',
          '-o',
          'jsonpath={.type}',
        ]);
        expect(secret).toBe('kubernetes.io/tls');
        const address = '192.0.2.80';
        const external = JSON.stringify({ spec: { externalIPs: [address] } });
        await cluster.kubectl(['patch', 'service', serviceName(objects), '-n', namespace, '-p', external]);
        const published = [
          'get',
          'ingress',
          release,
          '-n',
          'shop',
          '-o',
          'jsonpath={.status.loadBalancer.ingress[*].ip}',
        ];
        await first?.until(
          'the Ingress says where it is served',
          async () => (await cluster.kubectl(published)).split(' ').includes(address),
          20_000,
        );
        for (const { logFile } of started) {
          expect(await readFile(logFile, 'utf8')).not.toMatch(/FORBIDDEN|forbidden/);
        }
      });

      /** Starts Postern as the Deployment would, with its flags and its ServiceAccount, and waits until it is ready. */
      async function startAsDeployed(deployment: Rendered): Promise<ServerProcess> {
        const { serviceAccountName, containers } = podSpecOf(deployment);
        const [, ...flags] = containers[0].args;
        const metrics = `127.0.0.1:${await freePort('127.0.0.1')}`;
        const { edge, controllers } = configOf(deployment).components;
        const postern = startPostern({
          args: [
            ...flags,
            `--kubeconfig=${await cluster.serviceAccountKubeconfig(namespace, serviceAccountName)}`,
            `--metrics-listen-address=${metrics}`,
            ...(edge ? ['--http-listen=127.0.0.1:0', '--https-listen=127.0.0.1:0'] : []),
            ...(controllers ? ['--solver-listen=127.0.0.1:0'] : []),
          ],
          env: { POD_IP: solverAddress },
          logFile: join(dir, `${release}-${deployment.metadata.name}-${Date.now()}.log`),
        });
        processes.push(postern);
        await postern.until(
          '/readyz says yes',
          async () => (await fetch(`http://${metrics}/readyz`)).ok,
          20_000,
        );
        return postern;
      }

      const readinessOf = (what: readonly string[]) =>
        cluster.kubectl(['get', ...what, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}']);
    });
  });
}
