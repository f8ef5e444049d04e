import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endpointSlices, endpointSlicesV1beta1 } from '../../src/api/kubernetes/endpoint-slice.ts';
import type { Event } from '../../src/api/kubernetes/event.ts';
import { events } from '../../src/api/kubernetes/event.ts';
import { type KubeObject, keyOf } from '../../src/api/meta.ts';
import { apiVersionOf, type Resource } from '../../src/api/resource.ts';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { createClusterApi } from '../../src/kube/cluster/cluster-api.ts';
import { openEmbeddedApi } from '../../src/kube/embedded/open.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import type { KubeApi } from '../../src/kube/port.ts';
import { manifestResources } from '../../src/kube/standalone/manifest-kinds.ts';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { installCrds, type Place, places } from '../harness/environment.ts';
import { eventually } from '../harness/eventually.ts';
import { posternServiceAccount, rbacManifests } from '../harness/permissions.ts';
import { askPostern, type PosternAnswer, startPostern, stopPostern } from '../harness/postern.ts';
import type { ServerProcess } from '../harness/server-process.ts';
import type { KubernetesLine } from '../servers/versions.ts';

/** Where the objects are that the edge serves: an API server of a line, or a folder of manifests. */
export type BedKind = KubernetesLine | 'standalone';

/** A place for objects, and Posterns that serve them. */
export interface EdgeBed {
  readonly kind: BedKind;
  readonly dir: string;
  /** The API server's, with all rights; undefined in standalone mode. */
  readonly api: KubeApi | undefined;
  /** Makes objects, or puts them in the place of those with their names. */
  readonly apply: (...objects: readonly KubeObject[]) => Promise<void>;
  readonly remove: (object: KubeObject) => Promise<void>;
  /** An object of the namespace `default` as it is stored. */
  readonly find: <T extends KubeObject>(resource: Resource<T>, name: string) => Promise<T>;
  /** Warning events of the namespace `default`. */
  readonly warnings: () => Promise<readonly Event[]>;
  /** `postern status` with these flags. */
  readonly status: (...args: readonly string[]) => Promise<PosternAnswer>;
  /** Starts a Postern and waits until it is ready. In standalone mode there is one at a time. */
  readonly start: (
    args: readonly string[],
    place?: Place,
    env?: Readonly<Record<string, string>>,
  ) => Promise<ServerProcess>;
  /** The log of the Postern that was started last. */
  readonly logFile: () => string;
  /** Waits until `check` gives a value. The error ends with the log of the last Postern. */
  readonly eventually: <T>(
    what: string,
    check: () => Promise<T | undefined | false>,
    timeoutMs?: number,
  ) => Promise<T>;
  readonly stop: () => Promise<void>;
}

/** Prepares a bed; inside the network namespace of e2e/netns.ts. Postern is for `start` to start. */
export async function prepareBed(kind: BedKind): Promise<EdgeBed> {
  const dir = await mkdtemp(join(tmpdir(), `postern-edge-${kind}-`));
  const stack = new AsyncDisposableStack();
  try {
    const objects =
      kind === 'standalone' ? await standaloneObjects(dir) : await clusterObjects(kind, dir, stack);
    const started: ServerProcess[] = [];
    return {
      kind,
      dir,
      ...objects,
      status: (...args) => askPostern(['status', ...objects.flags.status, ...args]),
      async start(args, place = places.first, env = {}) {
        const logFile = join(dir, `postern-${started.length + 1}.log`);
        const postern = startPostern({
          args: [...objects.flags.run, ...listenFlags(place), ...args],
          logFile,
          env,
        });
        started.push(postern);
        stack.defer(() => stopPostern(postern));
        const isReady = async (): Promise<boolean> => {
          const { ok } = await fetch(`http://${place.health}/readyz`, { signal: AbortSignal.timeout(2_000) });
          return ok;
        };
        await postern.until(`ready (log: ${logFile})`, isReady, 60_000);
        return postern;
      },
      logFile: () => started.at(-1)?.logFile ?? '',
      eventually: (what, check, timeoutMs) =>
        eventually(what, check, { timeoutMs, logFile: started.at(-1)?.logFile }),
      async stop() {
        await stack.disposeAsync();
        if (process.env['E2E_KEEP'] === undefined) await rm(dir, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

interface BedObjects extends Pick<EdgeBed, 'api' | 'apply' | 'remove' | 'find' | 'warnings'> {
  readonly flags: Readonly<Record<'run' | 'status', readonly string[]>>;
}

function listenFlags({ edge, solver, health }: Place): string[] {
  return [
    ...['--http-listen', `${edge}:80`, '--https-listen', `${edge}:443`],
    ...['--solver-listen', `${solver}:8089`, '--solver-address', solver, '--metrics-listen-address', health],
    ...['--edge-workers', '2', '--log-format', 'json'],
  ];
}

async function clusterObjects(
  line: KubernetesLine,
  dir: string,
  stack: AsyncDisposableStack,
): Promise<BedObjects> {
  const cluster: Cluster = await startCluster({ line, dir: join(dir, 'cluster') });
  stack.defer(() => cluster.stop());
  await installCrds(cluster, ['', 'emissary']);
  await cluster.apply(await rbacManifests(line));
  const { namespace, name } = posternServiceAccount;
  const kubeconfig = await cluster.serviceAccountKubeconfig(namespace, name);
  const api = createClusterApi({
    kubeconfigPath: cluster.adminKubeconfig,
    logger: silentLogger,
    userAgent: 'e2e',
  });
  stack.defer(() => api.close());
  /** In the version that the object is written in, and that the server has. */
  const resourceFor = (object: KubeObject): Resource<KubeObject> => {
    const found = resourceOf(object);
    if (line === '1.20' && found === endpointSlices) return endpointSlicesV1beta1;
    return { ...found, version: object.apiVersion?.split('/').at(-1) ?? found.version };
  };
  const applyOne = async (object: KubeObject): Promise<void> => {
    const resource = resourceFor(object);
    const known: KubeObject = { ...object, apiVersion: apiVersionOf(resource) };
    try {
      await api.create(resource, known);
    } catch (error) {
      if (!isKubeError(error, 'KUBE_ALREADY_EXISTS')) throw error;
      const { metadata } = await api.get(resource, keyOf(object));
      await api.update(resource, { ...known, metadata: { ...metadata, ...known.metadata } });
    }
  };
  return {
    flags: {
      run: [
        ...['--kubeconfig', kubeconfig, '--leader-election-namespace', namespace],
        ...['--cluster-resource-namespace', namespace],
      ],
      status: ['--kubeconfig', kubeconfig, '--namespace', 'default'],
    },
    api,
    async apply(...objects) {
      const left = [...objects];
      const lane = async (): Promise<void> => {
        for (let object = left.shift(); object !== undefined; object = left.shift()) await applyOne(object);
      };
      await Promise.all(Array.from({ length: 6 }, lane));
    },
    remove: object => api.delete(resourceFor(object), keyOf(object)),
    find: (resource, objectName) => api.get(resource, { namespace: 'default', name: objectName }),
    warnings: () => warningsOf(api),
  };
}

async function standaloneObjects(dir: string): Promise<BedObjects> {
  const [manifests, stateDir] = [join(dir, 'manifests'), join(dir, 'state')];
  await mkdir(manifests);
  const fileOf = ({ kind = '', metadata }: KubeObject): string =>
    join(manifests, `${kind.toLowerCase()}-${metadata.name}.json`);
  const look = async <T>(ask: (api: KubeApi) => Promise<T>): Promise<T> => {
    const api = openEmbeddedApi({ stateDir, clock: systemClock, logger: silentLogger, readOnly: true });
    try {
      return await ask(api);
    } finally {
      await api.close();
    }
  };
  return {
    flags: {
      run: ['--standalone', manifests, '--state-dir', stateDir],
      status: ['--state-dir', stateDir],
    },
    api: undefined,
    async apply(...objects) {
      for (const object of objects) await writeFile(fileOf(object), JSON.stringify(object), { mode: 0o600 });
    },
    remove: object => rm(fileOf(object)),
    find: (resource, name) => look(api => api.get(resource, { namespace: 'default', name })),
    warnings: () => look(warningsOf),
  };
}

function resourceOf({ apiVersion, kind }: KubeObject): Resource<KubeObject> {
  const found = manifestResources.find(
    resource =>
      resource.kind === kind &&
      apiVersion?.startsWith(resource.group === '' ? 'v1' : resource.group) === true,
  );
  if (found === undefined) throw new Error(`no resource is known for ${apiVersion} ${kind}`);
  return found;
}

async function warningsOf(api: KubeApi): Promise<readonly Event[]> {
  const { items } = await api.list(events, { namespace: 'default' });
  return items.filter(({ type }) => type === 'Warning');
}
