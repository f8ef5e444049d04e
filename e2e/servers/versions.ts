/**
 * Every version that the real servers of the end-to-end suites are pinned to. The Go modules under
 * `modules/` repeat theirs in `go.mod`, with `go.sum` beside it; a build refuses when they disagree.
 */

/** The two Kubernetes lines the suites run on: the oldest that Postern supports, and a current one. */
export const kubernetesLines = ['1.20', 'current'] as const;

export type KubernetesLine = (typeof kubernetesLines)[number];

export interface KubernetesPin {
  readonly kubernetes: string;
  /** The etcd release that this Kubernetes is built and tested with. */
  readonly etcd: string;
}

export const kubernetesPins: Readonly<Record<KubernetesLine, KubernetesPin>> = {
  '1.20': { kubernetes: '1.20.2', etcd: '3.4.23' },
  current: { kubernetes: '1.36.3', etcd: '3.6.8' },
};

/** A `KUBEBUILDER_ASSETS` folder is taken for the current line from this minor on. */
export const oldestCurrentMinor = 35;

export const pebbleVersion = '2.10.1';

/** What Debian 12 packages; without ARI and profiles, good enough where there is no Go. */
export const debianPebbleVersion = '2.4.0';

export const helmVersion = '3.22.0';

/** Debian's source package of Kubernetes 1.20 and what it takes to build it. */
export const debianKubernetes = {
  source: 'kubernetes',
  /** SHA-256 of the upstream tarball; apt has checked the archive's signature before. */
  tarballSha256: 'b83c0780efb182d928dc63d46488a847f161f04e40a94b96bf5247dd671ecdfc',
  /** Kubernetes 1.20 builds with the Go of Debian 12, and not with much later ones. */
  go: { version: '1.19', packages: ['golang-1.19-go', 'golang-1.19-src'] },
  kubectlPackage: 'kubernetes-client',
  etcdPackage: 'etcd-server',
} as const;
