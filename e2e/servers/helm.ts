import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checksumFor, downloadChecked, downloadText } from './download.ts';
import { buildGoModule } from './go-module.ts';
import { installFromFirst, type Source } from './install.ts';
import { goArch } from './platform.ts';
import { run } from './run.ts';
import { helmVersion } from './versions.ts';

export interface Helm {
  readonly version: string;
  /** The executable. */
  readonly helm: string;
  readonly origin: string;
}

/** @throws PartUnavailable */
export async function provisionHelm(): Promise<Helm> {
  const { dir, origin } = await installFromFirst(`helm-${helmVersion}`, [officialRelease, goModule]);
  return { version: helmVersion, helm: join(dir, 'helm'), origin };
}

const officialRelease: Source = {
  name: 'the official release at get.helm.sh',
  async install(staging) {
    const archive = `helm-v${helmVersion}-linux-${goArch()}.tar.gz`;
    const url = `https://get.helm.sh/${archive}`;
    const sha256 = checksumFor(archive, await downloadText(`${url}.sha256sum`));
    await downloadChecked(url, sha256, join(staging, archive));
    await run('tar', ['-xzf', archive, `linux-${goArch()}/helm`], { cwd: staging });
    await rename(join(staging, `linux-${goArch()}`, 'helm'), join(staging, 'helm'));
    await rm(join(staging, archive));
  },
};

const goModule: Source = {
  name: 'a build through the Go module proxy',
  install: staging =>
    buildGoModule(
      {
        module: 'helm',
        requires: `helm.sh/helm/v3 v${helmVersion}`,
        binaries: { 'helm.sh/helm/v3/cmd/helm': 'helm' },
        variables: { 'helm.sh/helm/v3/internal/version.version': `v${helmVersion}` },
      },
      staging,
    ),
};
