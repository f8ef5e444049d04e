import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, runNicely } from './run.ts';
import { isAtLeast } from './version-order.ts';

export interface GoModuleBuild {
  /** A folder under `modules/`: a wrapper module whose `go.sum` fixes every dependency. */
  readonly module: string;
  /** The pinned module and version that the wrapper must require, e.g. `helm.sh/helm/v3 v3.22.0`. */
  readonly requires: string;
  /** Import path of a `main` package to the file name of its binary. */
  readonly binaries: Readonly<Record<string, string>>;
  /** `-X` settings: variable to value. */
  readonly variables?: Readonly<Record<string, string>>;
}

/**
 * Builds commands out of the Go module proxy, with the installed Go toolchain alone. The wrapper's
 * committed `go.sum` verifies every module, so neither the proxy nor the checksum database is trusted.
 * @throws Error when no Go is installed or it is too old, and with the compiler's words when it fails.
 */
export async function buildGoModule(build: GoModuleBuild, outDir: string): Promise<void> {
  const dir = join(import.meta.dirname, 'modules', build.module);
  const goMod = await readFile(join(dir, 'go.mod'), 'utf8');
  if (!goMod.includes(`${build.requires} // indirect`) && !goMod.includes(`${build.requires}\n`)) {
    throw new Error(
      `modules/${build.module}/go.mod does not require ${build.requires}: run go get and go mod tidy there`,
    );
  }
  await requireGo(/^go (\S+)$/m.exec(goMod)?.[1] ?? '1.26.0');
  const variables = Object.entries(build.variables ?? {}).map(([name, value]) => `-X ${name}=${value}`);
  const flags = [
    '-mod=readonly',
    '-trimpath',
    '-buildvcs=false',
    `-ldflags=${['-s -w', ...variables].join(' ')}`,
  ];
  const env = {
    GOFLAGS: undefined,
    GOWORK: 'off',
    GO111MODULE: undefined,
    CGO_ENABLED: '0',
    GOTOOLCHAIN: 'local',
  };
  const byName = Object.entries(build.binaries);
  // One call for all that are named after their package lets them share the linker's and compiler's work.
  const plain = byName.filter(([pkg, name]) => pkg.endsWith(`/${name}`)).map(([pkg]) => pkg);
  if (plain.length > 0)
    await runNicely('go', ['build', ...flags, '-o', `${outDir}/`, ...plain], { cwd: dir, env });
  for (const [pkg, name] of byName.filter(([pkg]) => !plain.includes(pkg))) {
    await runNicely('go', ['build', ...flags, '-o', join(outDir, name), pkg], { cwd: dir, env });
  }
}

async function requireGo(minimum: string): Promise<void> {
  const version = await run('go', ['env', 'GOVERSION'], { env: { GOTOOLCHAIN: 'local' } }).catch(
    (cause: unknown) => {
      throw new Error('no Go toolchain is installed', { cause });
    },
  );
  if (!isAtLeast(version.trim().replace(/^go/, ''), minimum)) {
    throw new Error(`Go ${minimum} or newer is needed, and ${version.trim()} is installed`);
  }
}
