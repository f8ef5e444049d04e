import { join } from 'node:path';
import { debianEtcd, debianKubernetesBuild } from './debian-kubernetes.ts';
import { buildGoModule } from './go-module.ts';
import { installFromFirst, type Source } from './install.ts';
import { kubebuilderAssets } from './kubebuilder-assets.ts';
import { etcdRelease, kubernetesRelease } from './kubernetes-release.ts';
import { type KubernetesLine, kubernetesPins } from './versions.ts';

/** The executables of one control plane. */
export interface KubernetesServers {
  readonly line: KubernetesLine;
  /** Of Kubernetes, without a `v`. */
  readonly version: string;
  readonly kubeApiserver: string;
  readonly kubeControllerManager: string;
  readonly kubectl: string;
  readonly etcd: string;
  readonly origin: string;
}

/**
 * The control plane of a line: from `KUBEBUILDER_ASSETS`, the cache, the official releases, or built from
 * source. The first run may take minutes; later ones read one file.
 * @throws PartUnavailable with a reason for each way that was tried.
 */
export async function provisionKubernetes(line: KubernetesLine): Promise<KubernetesServers> {
  const given = await kubebuilderAssets(line);
  if (given !== undefined) return given;
  const pin = kubernetesPins[line];
  const built = line === 'current' ? currentSources : debianSources;
  const etcd = await installFromFirst(`etcd-${pin.etcd}`, [etcdRelease(pin.etcd), built.etcd]);
  const kubernetes = await installFromFirst(`kubernetes-${pin.kubernetes}${built.revision}`, [
    kubernetesRelease(pin.kubernetes),
    built.kubernetes,
  ]);
  return {
    line,
    version: pin.kubernetes,
    kubeApiserver: join(kubernetes.dir, 'kube-apiserver'),
    kubeControllerManager: join(kubernetes.dir, 'kube-controller-manager'),
    kubectl: join(kubernetes.dir, 'kubectl'),
    etcd: join(etcd.dir, 'etcd'),
    origin: kubernetes.origin,
  };
}

interface LineSources {
  /** Goes up when the build changes, so that an older one in a cache is not used. */
  readonly revision: string;
  readonly kubernetes: Source;
  readonly etcd: Source;
}

const debianSources: LineSources = { revision: '-r2', kubernetes: debianKubernetesBuild, etcd: debianEtcd };

const current = kubernetesPins.current;
const [major = '', minor = ''] = current.kubernetes.split('.');

const currentSources: LineSources = {
  revision: '',
  kubernetes: {
    name: 'a build through the Go module proxy',
    install: staging =>
      buildGoModule(
        {
          module: 'kubernetes',
          requires: `k8s.io/kubernetes v${current.kubernetes}`,
          binaries: {
            'k8s.io/kubernetes/cmd/kube-apiserver': 'kube-apiserver',
            'k8s.io/kubernetes/cmd/kube-controller-manager': 'kube-controller-manager',
            'k8s.io/kubernetes/cmd/kubectl': 'kubectl',
          },
          variables: {
            'k8s.io/component-base/version.gitVersion': `v${current.kubernetes}`,
            'k8s.io/component-base/version.gitMajor': major,
            'k8s.io/component-base/version.gitMinor': minor,
            'k8s.io/component-base/version.gitTreeState': 'archive',
          },
        },
        staging,
      ),
  },
  etcd: {
    name: 'a build through the Go module proxy',
    install: staging =>
      buildGoModule(
        {
          module: 'etcd',
          requires: `go.etcd.io/etcd/server/v3 v${current.etcd}`,
          binaries: { 'go.etcd.io/etcd/server/v3': 'etcd' },
        },
        staging,
      ),
  },
};
