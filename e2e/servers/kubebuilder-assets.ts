import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubernetesServers } from './kubernetes.ts';
import { progress } from './progress.ts';
import { run } from './run.ts';
import { type KubernetesLine, oldestCurrentMinor } from './versions.ts';

/**
 * The servers in the folder that `KUBEBUILDER_ASSETS` names (the convention of controller-runtime's
 * envtest), when they are of this line. envtest's own archives lack kube-controller-manager: it has to
 * be laid beside the rest, or the folder is passed over with a word.
 */
export async function kubebuilderAssets(line: KubernetesLine): Promise<KubernetesServers | undefined> {
  const dir = process.env['KUBEBUILDER_ASSETS'];
  if (!dir) return undefined;
  const files = {
    kubeApiserver: join(dir, 'kube-apiserver'),
    kubeControllerManager: join(dir, 'kube-controller-manager'),
    kubectl: join(dir, 'kubectl'),
    etcd: join(dir, 'etcd'),
  };
  for (const file of Object.values(files)) {
    try {
      await access(file);
    } catch {
      progress(`KUBEBUILDER_ASSETS is passed over: there is no ${file}`);
      return undefined;
    }
  }
  const said = await run(files.kubeApiserver, ['--version']);
  const [, version = '', minor = ''] = /v(1\.(\d+)\.\S+)/.exec(said) ?? [];
  const fits = line === 'current' ? Number(minor) >= oldestCurrentMinor : version.startsWith(`${line}.`);
  if (!fits) return undefined;
  return { line, version, ...files, origin: 'KUBEBUILDER_ASSETS' };
}
