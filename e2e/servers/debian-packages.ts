import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { debianSourcesFor, parseDeb822, parseOneLine } from './debian-sources.ts';
import { cacheRoot } from './install.ts';
import { withLock } from './lock.ts';
import { run } from './run.ts';

const etcApt = '/etc/apt';
const listsFreshMs = 3_600_000;

export interface DebianPackage {
  readonly name: string;
  /** What the upstream part of the version must start with, e.g. `3.4.23`; any when left out. */
  readonly version?: string;
}

/**
 * Downloads binary packages, verified by apt, without installing them or touching the system's apt state.
 * @returns the `.deb` files.
 * @throws Error when the machine has no Debian sources, or Debian has another version by now.
 */
export async function downloadPackages(packages: readonly DebianPackage[], dir: string): Promise<string[]> {
  const env = await privateApt();
  const specs: string[] = [];
  for (const { name, version } of packages) {
    specs.push(`${name}=${candidate(await run('apt-cache', ['show', name], { env }), name, version)}`);
  }
  await run('apt-get', ['download', ...specs], { cwd: dir, env });
  return (await readdir(dir)).filter(file => file.endsWith('.deb')).map(file => join(dir, file));
}

/** Unpacks `.deb` files over each other into `root`. */
export async function unpackPackages(debs: readonly string[], root: string): Promise<void> {
  for (const deb of debs) {
    await run('dpkg-deb', ['-x', deb, root]);
    await rm(deb);
  }
}

/**
 * Downloads a source package, verified by apt, into `dir` without unpacking it.
 * @returns the upstream tarball.
 */
export async function downloadSource(name: string, version: string, dir: string): Promise<string> {
  const env = await privateApt();
  const exact = candidate(await run('apt-cache', ['showsrc', name], { env }), name, version);
  await run('apt-get', ['source', '--download-only', `${name}=${exact}`], { cwd: dir, env });
  const tarball = (await readdir(dir)).find(file => /\.orig\.tar\.\w+$/.test(file));
  if (tarball === undefined) throw new Error(`Debian's source package ${name} has no upstream tarball`);
  return join(dir, tarball);
}

/** The newest version that carries the wanted upstream version, also as `1.20.5+really1.20.2`. */
function candidate(records: string, name: string, upstream: string | undefined): string {
  const versions = [...records.matchAll(/^Version: (\S+)$/gm)].map(match => match[1] as string);
  const found = versions.find(version => upstream === undefined || upstreamOf(version).startsWith(upstream));
  if (found === undefined)
    throw new Error(`Debian has ${name} in ${versions.join(', ') || 'no version'}, not ${upstream}`);
  return found;
}

function upstreamOf(version: string): string {
  return version.replace(/^\d+:/, '').replace(/^.*\+really/, '');
}

/** An apt of our own: its sources derived from the machine's, its lists and cache in our cache folder. */
async function privateApt(): Promise<Record<string, string>> {
  const root = join(cacheRoot(), 'apt');
  const env = { APT_CONFIG: join(root, 'apt.conf') };
  await withLock(join(cacheRoot(), 'locks', 'apt'), async () => {
    const stamp = join(root, 'updated');
    const updated = await stat(stamp).catch(() => undefined);
    if (updated !== undefined && Date.now() - updated.mtimeMs < listsFreshMs) return;
    for (const dir of ['state/lists/partial', 'cache/archives/partial', 'sources.d']) {
      await mkdir(join(root, dir), { recursive: true });
    }
    const sources = debianSourcesFor(await machineSources());
    if (sources === '') throw new Error(`no Debian package sources in ${etcApt}`);
    await writeFile(join(root, 'sources.d', 'debian.sources'), sources);
    await writeFile(env.APT_CONFIG, aptConf(root));
    await run('apt-get', ['update'], { env });
    await writeFile(stamp, '');
  });
  return env;
}

function aptConf(root: string): string {
  return Object.entries({
    'Dir::State': join(root, 'state'),
    'Dir::State::status': '/var/lib/dpkg/status',
    'Dir::Cache': join(root, 'cache'),
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': join(root, 'sources.d'),
    'APT::Sandbox::User': userInfo().username,
    'Acquire::Languages': 'none',
  })
    .map(([key, value]) => `${key} "${value}";\n`)
    .join('');
}

async function machineSources() {
  const parts = join(etcApt, 'sources.list.d');
  const files = [
    join(etcApt, 'sources.list'),
    ...(await readdir(parts).catch(() => [])).map(file => join(parts, file)),
  ];
  const stanzas = [];
  for (const file of files) {
    const parse = file.endsWith('.sources') ? parseDeb822 : file.endsWith('.list') ? parseOneLine : undefined;
    if (parse !== undefined) stanzas.push(...parse(await readFile(file, 'utf8').catch(() => '')));
  }
  return stanzas;
}
