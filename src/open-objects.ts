import { statSync } from 'node:fs';
import type { Config } from './config/config.ts';
import type { Clock } from './core/clock.ts';
import { messageOf, TerminalError } from './core/errors.ts';
import type { Logger } from './core/logger.ts';
import { createClusterApi } from './kube/cluster/cluster-api.ts';
import { type ControlServer, startControlServer } from './kube/control/server.ts';
import { openEmbeddedApi } from './kube/embedded/open.ts';
import { embeddedResources } from './kube/embedded/resources.ts';
import { stateFilesIn } from './kube/embedded/state-folder.ts';
import type { KubeApi } from './kube/port.ts';
import { watchManifests } from './kube/standalone/watch-manifests.ts';
import type { Metrics } from './runtime/metrics.ts';

export interface OpenObjectsOptions {
  readonly config: Pick<Config, 'source'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly userAgent: string;
  readonly metrics: Metrics;
}

/** Opens the cluster, or the store of a state folder with the manifests that are kept applied to it. */
export async function openObjects(
  options: OpenObjectsOptions,
): Promise<{ readonly api: KubeApi; close(): Promise<void> }> {
  const { config, clock, logger, userAgent, metrics } = options;
  const { source } = config;
  if (source.kind === 'cluster') {
    const api = createClusterApi({
      kubeconfigPath: source.kubeconfig,
      logger,
      userAgent,
      clock,
      onRequest: facts => metrics.kubeRequest(facts),
    });
    return { api, close: async () => api.close() };
  }
  checkFolder(source.manifests);
  const api = openEmbeddedApi({ stateDir: source.stateDir, clock, logger });
  const manifests = watchManifests({ dir: source.manifests, api, clock, logger });
  await manifests.ready;
  const control = await openControl(source.stateDir, api, logger);
  return {
    api,
    async close() {
      await control?.close();
      await manifests.stop();
      await api.close();
    },
  };
}

/** A folder that is not there yet would be read as one that declares nothing. */
function checkFolder(dir: string): void {
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new TerminalError(
    `--standalone ${JSON.stringify(dir)} is no folder; create it, or name the folder of your manifests.`,
    { code: 'MANIFEST_FOLDER_MISSING' },
  );
}

/** Lets commands change the store of this process. Without that Postern does all the same what it is for. */
async function openControl(
  stateDir: string,
  api: KubeApi,
  logger: Logger,
): Promise<ControlServer | undefined> {
  const { socket } = stateFilesIn(stateDir);
  try {
    return await startControlServer({ path: socket, api, resources: embeddedResources, logger });
  } catch (thrown) {
    logger.warn(
      `${messageOf(thrown)} "postern renew", "approve" and "deny" cannot reach this process; a shorter --state-dir may help`,
      { error: thrown },
    );
    return undefined;
  }
}
