import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checksumFor, downloadChecked, downloadText } from './download.ts';
import type { Source } from './install.ts';
import { goArch } from './platform.ts';
import { run } from './run.ts';

const binaries = ['kube-apiserver', 'kube-controller-manager', 'kubectl'];

/** The official binaries of a Kubernetes release, each checked by the SHA-256 published beside it. */
export function kubernetesRelease(version: string): Source {
  const base = `https://dl.k8s.io/release/v${version}/bin/linux/${goArch()}`;
  return {
    name: 'the official release at dl.k8s.io',
    async install(staging) {
      for (const binary of binaries) {
        const sha256 = checksumFor(binary, await downloadText(`${base}/${binary}.sha256`));
        await downloadChecked(`${base}/${binary}`, sha256, join(staging, binary));
      }
    },
  };
}

/** The official etcd release, checked by its SHA256SUMS. */
export function etcdRelease(version: string): Source {
  const base = `https://github.com/etcd-io/etcd/releases/download/v${version}`;
  return {
    name: 'the official release at github.com/etcd-io/etcd',
    async install(staging) {
      const folder = `etcd-v${version}-linux-${goArch()}`;
      const archive = `${folder}.tar.gz`;
      const sha256 = checksumFor(archive, await downloadText(`${base}/SHA256SUMS`));
      await downloadChecked(`${base}/${archive}`, sha256, join(staging, archive));
      await run('tar', ['-xzf', archive, `${folder}/etcd`], { cwd: staging });
      await rename(join(staging, folder, 'etcd'), join(staging, 'etcd'));
      await rm(join(staging, archive));
    },
  };
}
