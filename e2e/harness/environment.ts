import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { controlPlaneAddress, edgeAddress, solverAddress, upstreamAddresses } from '../netns.ts';
import type { KubernetesLine } from '../servers/versions.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { type HttpsAnswer, httpsGet } from './https-get.ts';
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
  /** Signs the certificate of the HTTPS upstream, whose name is upstream.internal. */
  readonly upstreamAuthority: TestAuthority;
  /** The process that was started last. */
  readonly postern: ServerProcess;
  /** Starts a Postern, the first one's addresses and all; the one before must have ended. */
  startPostern(args?: readonly string[]): Promise<ServerProcess>;
  /** Waits until `check` gives a value, and gives that. Rejects, with Postern's log, after `timeoutMs`. */
  eventually<T>(what: string, check: () => Promise<T | undefined | false>, timeoutMs?: number): Promise<T>;
  /** GET through the edge, verified against the ACME server's roots, or `ca`. */
  get(
    host: string,
    options?: { readonly path?: string; readonly ca?: readonly string[] },
  ): Promise<HttpsAnswer>;
  /** The objects that `kubectl get` gives, as JSON. */
  objects(kind: string, namespace: string): Promise<KubeJson[]>;
  stop(): Promise<void>;
}

/** An object as kubectl prints it, as far as tests look into it. */
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
    await cluster.apply(await rbacManifests());
    await cluster.apply(upstreamManifests(options.line));
    const { namespace, name } = posternServiceAccount;
    const kubeconfig = await cluster.serviceAccountKubeconfig(namespace, name);

    let postern: ServerProcess | undefined;
    let starts = 0;
    stack.defer(async () => {
      if (postern !== undefined) await stopPostern(postern);
    });
    const roots = await pebble.issuerRoots();
    const environment: Environment = {
      dir,
      cluster,
      pebble,
      upstreamAuthority,
      get postern() {
        if (postern === undefined) throw new Error('no Postern was started');
        return postern;
      },
      async startPostern(args = []) {
        starts += 1;
        postern = startPostern({
          args: [...posternArgs(kubeconfig, namespace, pebble), ...(options.posternArgs ?? []), ...args],
          logFile: join(dir, `postern-${starts}.log`),
        });
        const { logFile } = postern;
        await postern.until(`ready (log: ${logFile})`, isReady, 30_000);
        return postern;
      },
      eventually: (what, check, timeoutMs = 30_000) =>
        eventually(what, check, timeoutMs, () => postern?.logFile),
      get: (host, { path, ca } = {}) =>
        httpsGet({
          host,
          address: edgeAddress,
          port: 443,
          ca: ca ?? roots,
          ...(path !== undefined && { path }),
        }),
      async objects(kind, objectNamespace) {
        const text = await cluster.kubectl(['get', kind, '-n', objectNamespace, '-o', 'json']);
        return (JSON.parse(text) as { items: KubeJson[] }).items;
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

function posternArgs(kubeconfig: string, namespace: string, pebble: Pebble): string[] {
  return [
    ...[
      '--kubeconfig',
      kubeconfig,
      '--leader-election-namespace',
      namespace,
      '--cluster-resource-namespace',
      namespace,
    ],
    ...['--http-listen', `${edgeAddress}:80`, '--https-listen', `${edgeAddress}:443`],
    ...['--solver-listen', `${solverAddress}:8089`, '--solver-address', solverAddress],
    ...['--metrics-listen-address', `${controlPlaneAddress}:9402`],
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

async function isReady(): Promise<boolean> {
  const { status } = await fetch(`http://${controlPlaneAddress}:9402/readyz`, {
    signal: AbortSignal.timeout(2_000),
  });
  return status === 200;
}

/** Applies the CRDs: on 1.20 those without the rules that it does not know. */
export async function installCrds(cluster: Cluster): Promise<void> {
  const folder = join(import.meta.dirname, '../../crds', cluster.line === '1.20' ? 'kubernetes-1.20' : '');
  const files = (await readdir(folder)).filter(file => file.endsWith('.yaml'));
  const texts = await Promise.all(files.map(file => readFile(join(folder, file), 'utf8')));
  await cluster.apply(texts.join('\n---\n'));
  await cluster.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
}

function upstreamManifests(line: KubernetesLine): string {
  const service = (name: string, { address, port }: { address: string; port: number }): string => `
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: default}
spec:
  ports: [{name: web, port: ${port}, targetPort: ${port}}]
---
${
  line === '1.20'
    ? `apiVersion: v1
kind: Endpoints
metadata: {name: ${name}, namespace: default}
subsets: [{addresses: [{ip: ${address}}], ports: [{name: web, port: ${port}}]}]`
    : `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ${name}, namespace: default, labels: {kubernetes.io/service-name: ${name}}}
addressType: IPv4
endpoints: [{addresses: ["${address}"]}]
ports: [{name: web, port: ${port}}]`
}
---
`;
  const ingressClass = `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: postern}
spec: {controller: postern.dev/ingress}
`;
  return service('plain', upstreams.plain) + service('secure', upstreams.secure) + ingressClass;
}

async function eventually<T>(
  what: string,
  check: () => Promise<T | undefined | false>,
  timeoutMs: number,
  logFile: () => string | undefined,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const value = await check();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      last = error;
    }
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  const file = logFile();
  const log =
    file === undefined ? '' : `\n${file} ends with:\n${(await readFile(file, 'utf8')).slice(-4_000)}`;
  throw new Error(
    `not within ${timeoutMs} ms: ${what}${last === undefined ? '' : ` (last: ${String(last)})`}${log}`,
  );
}
