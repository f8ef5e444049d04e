import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { controlPlaneAddress, isInsideNetns } from '../netns.ts';
import { provisionKubernetes } from '../servers/kubernetes.ts';
import { run } from '../servers/run.ts';
import type { KubernetesLine } from '../servers/versions.ts';
import { apiJson, apiRequest } from './api-request.ts';
import { layOutControlPlane } from './control-plane.ts';
import { startEtcd } from './etcd.ts';
import { freePort } from './free-port.ts';
import { kubeconfigFor } from './kubeconfig.ts';
import { killServer, type ServerProcess, startServer } from './server-process.ts';

const startMs = 120_000;
const tokenSeconds = 24 * 3_600;

export interface ClusterOptions {
  readonly line: KubernetesLine;
  /** A folder for this cluster alone: data, keys, kubeconfigs and logs. It is made, and left behind. */
  readonly dir: string;
  /** Where the API server listens. Inside the network namespace the control plane's, else loopback. */
  readonly address?: string;
}

export interface RestartOptions {
  /** How long the API server stays away. */
  readonly downMs?: number;
  /**
   * SIGKILL (the default) resets all connections at once. SIGTERM closes the listener and lets open
   * watches go on, for a minute if nobody stops them; here for `graceMs`, then comes SIGKILL.
   */
  readonly signal?: 'SIGKILL' | 'SIGTERM';
  readonly graceMs?: number;
}

/** A control plane without nodes: etcd, kube-apiserver with RBAC, and the controllers that tests rely on. */
export interface Cluster {
  readonly line: KubernetesLine;
  /** Kubernetes version without `v`. */
  readonly version: string;
  readonly url: string;
  readonly caPem: string;
  /** File with cluster-admin rights. */
  readonly adminKubeconfig: string;
  readonly processes: Readonly<Record<'etcd' | 'apiServer' | 'controllerManager', ServerProcess>>;
  /** kubectl as cluster-admin. @throws CommandFailed with kubectl's words. */
  kubectl(args: readonly string[], stdin?: string): Promise<string>;
  /** `kubectl apply` of one or more YAML documents. */
  apply(yaml: string): Promise<string>;
  /** A kubeconfig file with a token of an existing ServiceAccount, good for a day. */
  serviceAccountKubeconfig(namespace: string, name: string): Promise<string>;
  /** Ends the API server and starts it again on the same port; resolves when it is ready. */
  restartApiServer(options?: RestartOptions): Promise<void>;
  /**
   * Drops all revisions but the newest from etcd. The API server's watch cache still remembers its own:
   * with `restartApiServer` after this, every older resourceVersion gets 410 Gone.
   */
  compactEtcd(): Promise<void>;
  /** The API server's /metrics. */
  metrics(): Promise<string>;
  /** Ends all three processes. */
  stop(): Promise<void>;
}

/**
 * Starts a cluster and waits until it serves: the API server is ready, and ServiceAccounts get made.
 * @throws PartUnavailable when the line's servers cannot be had here; Error with the end of a server's log.
 */
export async function startCluster({
  line,
  dir,
  address = defaultAddress(),
}: ClusterOptions): Promise<Cluster> {
  const servers = await provisionKubernetes(line);
  await mkdir(dir, { recursive: true });
  const etcd = await startEtcd(servers.etcd, dir);
  const started: ServerProcess[] = [etcd.server];
  try {
    const port = await freePort(address);
    const plane = await layOutControlPlane({ servers, dir, address, port, etcdUrl: etcd.url });
    const access = { url: plane.url, caPem: plane.caPem, identity: plane.admin };
    const start = (command: string, args: readonly string[], log: string) => {
      const server = startServer({ command, args, logFile: join(dir, log) });
      started.push(server);
      return server;
    };
    const answersOk = (path: string) => async () => (await apiRequest(access, 'GET', path)).status === 200;
    const startApiServer = async () => {
      const server = start(servers.kubeApiserver, plane.apiserverArgs, 'kube-apiserver.log');
      await server.until('/readyz answers 200', answersOk('/readyz'), startMs);
      return server;
    };
    let apiServer = await startApiServer();
    const controllerManager = start(
      servers.kubeControllerManager,
      plane.controllerManagerArgs,
      'kube-controller-manager.log',
    );
    const account = '/api/v1/namespaces/default/serviceaccounts/default';
    await controllerManager.until('the default ServiceAccount exists', answersOk(account), startMs);

    const kubectl = (args: readonly string[], stdin?: string) =>
      run(servers.kubectl, args, {
        env: { KUBECONFIG: plane.adminKubeconfig, HOME: dir },
        ...(stdin === undefined ? {} : { stdin }),
      });
    return {
      line,
      version: servers.version,
      url: plane.url,
      caPem: plane.caPem,
      adminKubeconfig: plane.adminKubeconfig,
      get processes() {
        return { etcd: etcd.server, apiServer, controllerManager };
      },
      kubectl,
      // The old kubectl takes what begins with a brace for JSON to its end.
      apply: yaml => kubectl(['apply', '-f', '-'], `---\n${yaml}`),
      async serviceAccountKubeconfig(namespace, name) {
        const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
        const request = {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          spec: { expirationSeconds: tokenSeconds },
        };
        const { status } = (await apiJson(access, 'POST', path, request)) as { status: { token: string } };
        const file = join(dir, `${namespace}.${name}.kubeconfig`);
        const text = kubeconfigFor(plane.url, plane.caPem, { token: status.token }, namespace);
        await writeFile(file, text, { mode: 0o600 });
        return file;
      },
      async restartApiServer({ downMs = 0, signal = 'SIGKILL', graceMs = 2_000 } = {}) {
        apiServer.signal(signal);
        await Promise.race([apiServer.exited, sleep(graceMs, undefined, { ref: false })]);
        await killServer(apiServer);
        await sleep(downMs);
        apiServer = await startApiServer();
      },
      compactEtcd: () => etcd.compact(),
      async metrics() {
        return (await apiRequest(access, 'GET', '/metrics')).text;
      },
      stop: () => stopAll(started),
    };
  } catch (error) {
    await stopAll(started);
    throw error;
  }
}

/** Clients before servers, so that nobody logs about a peer that is gone. */
async function stopAll(started: readonly ServerProcess[]): Promise<void> {
  for (const server of started.toReversed()) await killServer(server);
}

function defaultAddress(): string {
  return isInsideNetns() ? controlPlaneAddress : '127.0.0.1';
}
