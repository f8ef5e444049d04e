import { join } from 'node:path';
import { downloadPackages, unpackPackages } from './debian-packages.ts';
import { installFromFirst, type Source } from './install.ts';

/** Other proxies, and programs that make load, as Debian packages them. Unpacked in the cache, not installed. */
export interface Peers {
  readonly nginx: string;
  readonly haproxy: string;
  readonly caddy: string;
  readonly wrk: string;
  readonly h2load: string;
  /** To be set for each of them: `LD_LIBRARY_PATH`. */
  readonly libraries: string;
}

const packages = [
  'nginx',
  'haproxy',
  'caddy',
  'wrk',
  'nghttp2-client',
  // What they need of shared libraries and a small machine does not have.
  'libc-ares2',
  'libev4',
  'libjansson4',
  'libjemalloc2',
  'liblua5.3-0',
  'libluajit-5.1-2',
  'libnghttp2-14',
  'libopentracing-c-wrapper0',
  'libopentracing1',
  'libpcre2-8-0',
];

const debian: Source = {
  name: "Debian's packages",
  async install(staging) {
    await unpackPackages(
      await downloadPackages(
        packages.map(name => ({ name })),
        staging,
      ),
      staging,
    );
  },
};

/** @throws PartUnavailable where there is no Debian archive to be reached. */
export async function providePeers(): Promise<Peers> {
  const { dir } = await installFromFirst('peers-r1', [debian]);
  const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  return {
    nginx: join(dir, 'usr/sbin/nginx'),
    haproxy: join(dir, 'usr/sbin/haproxy'),
    caddy: join(dir, 'usr/bin/caddy'),
    wrk: join(dir, 'usr/bin/wrk'),
    h2load: join(dir, 'usr/bin/h2load'),
    libraries: join(dir, 'usr/lib', triplet),
  };
}
