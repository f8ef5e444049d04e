import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { downloadPackages, unpackPackages } from './debian-packages.ts';
import { buildGoModule } from './go-module.ts';
import { type Installed, installFromFirst, PartUnavailable, type Source } from './install.ts';
import { debianPebbleVersion, pebbleVersion } from './versions.ts';

export interface PebbleServers {
  readonly version: string;
  readonly pebble: string;
  /** pebble-challtestsrv, used for its DNS server. */
  readonly challtestsrv: string;
  readonly origin: string;
}

/**
 * The newest Pebble where there is a Go toolchain, else Debian's, which is older: no ARI, no profiles.
 * @throws PartUnavailable
 */
export async function provisionPebble(): Promise<PebbleServers> {
  try {
    return described(pebbleVersion, await installFromFirst(`pebble-${pebbleVersion}`, [goModule]));
  } catch (error) {
    if (!(error instanceof PartUnavailable)) throw error;
    return provisionDebianPebble();
  }
}

/** Debian's Pebble, whatever else there is. @throws PartUnavailable */
export async function provisionDebianPebble(): Promise<PebbleServers> {
  const name = `pebble-${debianPebbleVersion}`;
  return described(debianPebbleVersion, await installFromFirst(name, [debianPackage]));
}

function described(version: string, { dir, origin }: Installed): PebbleServers {
  return { version, pebble: join(dir, 'pebble'), challtestsrv: join(dir, 'pebble-challtestsrv'), origin };
}

const goModule: Source = {
  name: 'a build through the Go module proxy',
  install: staging =>
    buildGoModule(
      {
        module: 'pebble',
        requires: `github.com/letsencrypt/pebble/v2 v${pebbleVersion}`,
        binaries: {
          'github.com/letsencrypt/pebble/v2/cmd/pebble': 'pebble',
          'github.com/letsencrypt/pebble/v2/cmd/pebble-challtestsrv': 'pebble-challtestsrv',
        },
        variables: { 'main.version': `v${pebbleVersion}` },
      },
      staging,
    ),
};

const debianPackage: Source = {
  name: "Debian's package pebble",
  async install(staging) {
    const unpacked = join(staging, 'unpacked');
    await unpackPackages(
      await downloadPackages([{ name: 'pebble', version: debianPebbleVersion }], staging),
      unpacked,
    );
    for (const binary of ['pebble', 'pebble-challtestsrv']) {
      await rename(join(unpacked, 'usr', 'bin', binary), join(staging, binary));
    }
    await rm(unpacked, { recursive: true });
  },
};
