import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeObject } from '../../src/api/meta.ts';
import type { Resource } from '../../src/api/resource.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { createClusterApi } from '../../src/kube/cluster/cluster-api.ts';
import type { KubeApi } from '../../src/kube/port.ts';
import {
  controlPlaneAddress,
  edgeAddress,
  secondEdgeAddress,
  secondSolverAddress,
  solverAddress,
  upstreamAddresses,
} from '../netns.ts';
import type { KubernetesLine } from '../servers/versions.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { eventually } from './eventually.ts';
import { type HttpsAnswer, httpsGet } from './https-get.ts';
import { ingressClass, serviceTo } from './manifests.ts';
import { type Pebble, type PebbleOptions, startPebble } from './pebble.ts';
import { posternServiceAccount, rbacManifests } from './permissions.ts';
import { startPostern, stopPostern } from './postern.ts';
import type { ServerProcess } from './server-process.ts';
import { createTestAuthority, type TestAuthority } from './test-authority.ts';
import { startUpstream } from './upstream.ts';

/** Where the upstreams of the environment listen. */
export const upstreams = {
  plain: { address: upstreamAddresses[0] ?? '', port: 8080 },
  secure: { address: upstreamAddresses[1] ?? '', port: 8443 },
} as const;

/** The addresses of one replica; its ports are the same everywhere. */
export interface Place {
  readonly edge: string;
  readonly solver: string;
  /** `host:port` of /metrics and /readyz. */
  readonly health: string;
}

/** Where Postern runs unless told otherwise, and where a second one can. */
export const places = {
  first: { edge: edgeAddress, solver: solverAddress, health: `${controlPlaneAddress}:9402` },
  second: { edge: secondEdgeAddress, solver: secondSolverAddress, health: `${controlPlaneAddress}:9403` },
} as const satisfies Record<string, Place>;

export interface EnvironmentOptions {
  readonly line: KubernetesLine;
  /** Further flags of `postern run`. */
  readonly posternArgs?: readonly string[];
  readonly pebble?: Partial<PebbleOptions>;
  /** Default true: Postern runs from the start. */
  readonly withPostern?: boolean;
}

/** A cluster, an ACME server that validates through the edge, upstreams, and Postern with the rights of deploy/. */
export interface Environment {
  readonly dir: string;
  readonly cluster: Cluster;
  readonly pebble: Pebble;
  /** The cluster's API with all rights. */
  readonly api: KubeApi;
  /** Signs the certificate of the HTTPS upstream, whose name is upstream.internal. */
  readonly upstreamAuthority: TestAuthority;
  /** The process that was started last. */
  readonly postern: ServerProcess;
  /** Starts a Postern and waits until it is ready; the one before at the same place must have ended. */
  startPostern(args?: readonly string[], place?: Place): Promise<ServerProcess>;
  /** Waits until `check` gives a value, and gives that. Rejects, with Postern's log, after `timeoutMs`. */
  eventually<T>(what: string, check: () => Promise<T | undefined | false>, timeoutMs?: number): Promise<T>;
  /** GET through the edge, verified against the ACME server's roots, or `ca`. */
  get(
    host: string,
    options?: { readonly path?: string; readonly ca?: readonly string[]; readonly place?: Place },
  ): Promise<HttpsAnswer>;
  /** The objects of a namespace, as the API server has them. Not by kubectl, whose every start costs as much as a certificate. */
  objects(resource: Resource<KubeObject>, namespace: string): Promise<readonly KubeJson[]>;
  stop(): Promise<void>;
}

/** An object as the API server has it, as far as tests look into it. */
export interface KubeJson {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
    readonly ownerReferences?: { readonly kind: string; readonly name: string }[];
  };
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly involvedObject?: { readonly kind: string; readonly name: string };
  readonly data?: Record<string, string>;
  readonly spec?: Record<string, unknown>;
  readonly status?: {
    readonly conditions?: { type: string; status: string; reason?: string; message?: string }[];
  } & Record<string, unknown>;
}

/** Starts everything; inside the network namespace of e2e/netns.ts. */
export async function startEnvironment(options: EnvironmentOptions): Promise<Environment> {
  const dir = await mkdtemp(join(tmpdir(), `postern-e2e-${options.line}-`));
  const stack = new AsyncDisposableStack();
  try {
    const cluster = await startCluster({ line: options.line, dir: join(dir, 'cluster') });
    stack.defer(() => cluster.stop());
    const pebble = await startPebble({
      dir: join(dir, 'pebble'),
      httpPort: 80,
      tlsPort: 443,
      dnsDefault: edgeAddress,
      bindAddress: controlPlaneAddress,
      ...options.pebble,
    });
    stack.defer(() => pebble.stop());
    const upstreamAuthority = await createTestAuthority('e2e upstream CA');
    const identity = await upstreamAuthority.issue({
      commonName: 'upstream',
      dnsNames: ['upstream.internal'],
    });
    const plain = await startUpstream({ name: 'plain', ...upstreams.plain });
    stack.defer(() => plain.stop());
    const secure = await startUpstream({ name: 'secure', ...upstreams.secure, identity });
    stack.defer(() => secure.stop());

    await installCrds(cluster);
    await cluster.apply(await rbacManifests(options.line));
    await cluster.apply(
      [
        ingressClass('postern', 'postern.dev/ingress'),
        serviceTo(options.line, 'plain', upstreams.plain),
        serviceTo(options.line, 'secure', upstreams.secure),
      ].join('\n---\n'),
    );
    const { namespace, name } = posternServiceAccount;
    const kubeconfig = await cluster.serviceAccountKubeconfig(namespace, name);

    const api = createClusterApi({
      kubeconfigPath: cluster.adminKubeconfig,
      logger: silentLogger,
      userAgent: 'e2e',
    });
    stack.defer(() => api.close());

    let postern: ServerProcess | undefined;
    let starts = 0;
    const roots = await pebble.issuerRoots();
    const environment: Environment = {
      dir,
      cluster,
      pebble,
      api,
      upstreamAuthority,
      get postern() {
        if (postern === undefined) throw new Error('no Postern was started');
        return postern;
      },
      async startPostern(args = [], place = places.first) {
        starts += 1;
        const started = startPostern({
          args: [
            ...posternArgs(kubeconfig, namespace, pebble, place),
            ...(options.posternArgs ?? []),
            ...args,
          ],
          logFile: join(dir, `postern-${starts}.log`),
        });
        stack.defer(() => stopPostern(started));
        postern = started;
        await started.until(`ready (log: ${started.logFile})`, () => isReady(place), 60_000);
        return started;
      },
      eventually: (what, check, timeoutMs) =>
        eventually(what, check, { timeoutMs, logFile: postern?.logFile }),
      get: (host, { path, ca, place = places.first } = {}) =>
        httpsGet({
          host,
          address: place.edge,
          port: 443,
          ca: ca ?? roots,
          ...(path !== undefined && { path }),
        }),
      async objects(resource, objectNamespace) {
        const { items } = await api.list(resource, { namespace: objectNamespace });
        return items as readonly KubeJson[];
      },
      async stop() {
        await stack.disposeAsync();
        if (process.env['E2E_KEEP'] === undefined) await rm(dir, { recursive: true, force: true });
      },
    };
    if (options.withPostern !== false) await environment.startPostern();
    return environment;
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

function posternArgs(kubeconfig: string, namespace: string, pebble: Pebble, place: Place): string[] {
  return [
    ...[
      '--kubeconfig',
      kubeconfig,
      '--leader-election-namespace',
      namespace,
      '--cluster-resource-namespace',
      namespace,
    ],
    ...['--http-listen', `${place.edge}:80`, '--https-listen', `${place.edge}:443`],
    ...['--solver-listen', `${place.solver}:8089`, '--solver-address', place.solver],
    ...['--metrics-listen-address', place.health],
    ...[
      '--acme-http01-solver-nameservers',
      pebble.dnsAddress,
      '--log-format',
      'human',
      '--log-level',
      'debug',
    ],
  ];
}

async function isReady({ health }: Place): Promise<boolean> {
  const { status } = await fetch(`http://${health}/readyz`, {
    signal: AbortSignal.timeout(2_000),
  });
  return status === 200;
}

/** Applies the CRDs, and those in further folders of crds/: on 1.20 those without the rules that it does not know. */
export async function installCrds(cluster: Cluster, folders: readonly string[] = ['']): Promise<void> {
  const texts = await Promise.all(folders.map(folder => crdTexts(cluster, folder)));
  await cluster.apply(texts.flat().join('\n---\n'));
  await cluster.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
}

async function crdTexts({ line }: Cluster, name: string): Promise<string[]> {
  const folder = join(import.meta.dirname, '../../crds', name, line === '1.20' ? 'kubernetes-1.20' : '');
  const files = (await readdir(folder)).filter(file => file.endsWith('.yaml'));
  return Promise.all(files.map(file => readFile(join(folder, file), 'utf8')));
}
