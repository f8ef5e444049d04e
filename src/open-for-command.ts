import type { OpenedApi } from './cli/program.ts';
import type { CommandSource } from './config/command-source.ts';
import { systemClock } from './core/clock.ts';
import { silentLogger } from './core/logger.ts';
import { createClusterApi } from './kube/cluster/cluster-api.ts';
import { loadKubeconfig } from './kube/cluster/kubeconfig.ts';
import { createControlClient } from './kube/control/client.ts';
import { openEmbeddedApi } from './kube/embedded/open.ts';
import { stateFilesIn } from './kube/embedded/state-folder.ts';
import { problemText, readManifestProblems } from './kube/standalone/problem.ts';

/**
 * Opens a cluster, or a state folder beside the process that runs on it: reads go to the folder itself,
 * changes of a status to that process. Throws PosternErrors for the user.
 */
export function openForCommand(source: CommandSource, userAgent: string): OpenedApi {
  if (source.kind === 'cluster') {
    const { config } = loadKubeconfig({ kubeconfigPath: source.kubeconfig });
    const namespace = config.getContextObject(config.currentContext)?.namespace ?? '';
    const api = createClusterApi({ kubeconfigPath: source.kubeconfig, logger: silentLogger, userAgent });
    return {
      api,
      namespace: namespace === '' ? 'default' : namespace,
      close: async () => api.close(),
    };
  }
  const { stateDir } = source;
  const store = openEmbeddedApi({ stateDir, clock: systemClock, logger: silentLogger, readOnly: true });
  return {
    api: { ...store, ...createControlClient(stateDir, stateFilesIn(stateDir).socket) },
    namespace: 'default',
    manifestProblems: readManifestProblems(store).map(problemText),
    close: () => store.close(),
  };
}
