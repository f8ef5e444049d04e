import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { withLock } from './lock.ts';
import { goArch } from './platform.ts';
import { progress } from './progress.ts';

/** One way to come by a part. `install` fills `staging`, or throws a reason why it cannot. */
export interface Source {
  readonly name: string;
  install(staging: string): Promise<void>;
}

/** A part of the test bed that lies ready in the cache. */
export interface Installed {
  readonly dir: string;
  /** The name of the source it came from. */
  readonly origin: string;
}

/** No source could give the part; the message lists each with its reason. */
export class PartUnavailable extends Error {
  override readonly name = 'PartUnavailable';
}

/** `$E2E_CACHE`, or `~/.cache/postern`. */
export function cacheRoot(): string {
  return resolve(process.env['E2E_CACHE'] || join(homedir(), '.cache', 'postern'));
}

/**
 * The part from the cache, else from the first source that can give it. A part shows up in the cache
 * complete or not at all, and two processes never install the same one at once.
 * @param name with the version, e.g. `etcd-3.6.8`; the cache folder is named after it.
 * @throws PartUnavailable
 */
export async function installFromFirst(name: string, sources: readonly Source[]): Promise<Installed> {
  const dir = join(cacheRoot(), `${name}-${goArch()}`);
  const cached = await readOrigin(dir);
  if (cached !== undefined) return { dir, origin: cached };
  return withLock(join(cacheRoot(), 'locks', name), async () => {
    const meanwhile = await readOrigin(dir);
    if (meanwhile !== undefined) return { dir, origin: meanwhile };
    const origin = await installInto(dir, name, sources);
    return { dir, origin };
  });
}

async function installInto(dir: string, name: string, sources: readonly Source[]): Promise<string> {
  const reasons: string[] = [];
  const prefix = `.staging-${name}-`;
  for (const entry of await readdir(cacheRoot())) {
    // Left by a process that was killed: we hold the lock, so nobody is at work there.
    if (entry.startsWith(prefix)) await rm(join(cacheRoot(), entry), { recursive: true, force: true });
  }
  for (const source of sources) {
    const staging = await mkdtemp(join(cacheRoot(), prefix));
    const from = performance.now();
    try {
      progress(`${name}: ${source.name}`);
      await source.install(staging);
      await writeFile(join(staging, 'origin'), source.name);
      await rm(dir, { recursive: true, force: true });
      await rename(staging, dir);
      progress(`${name}: ready after ${((performance.now() - from) / 1000).toFixed(0)} s`);
      return source.name;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      progress(`${name}: not by ${source.name}: ${reason.split('\n', 1)[0]}`);
      reasons.push(`- ${source.name}: ${reason}`);
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  }
  throw new PartUnavailable(`${name} is not to be had on this machine:\n${reasons.join('\n')}`);
}

async function readOrigin(dir: string): Promise<string | undefined> {
  await mkdir(cacheRoot(), { recursive: true });
  try {
    return await readFile(join(dir, 'origin'), 'utf8');
  } catch {
    return undefined;
  }
}

/** The part, or `undefined` with the whole reason on stderr. Other errors than a missing part go through. */
export async function ifAvailable<T>(part: Promise<T>): Promise<T | undefined> {
  try {
    return await part;
  } catch (error) {
    if (!(error instanceof PartUnavailable)) throw error;
    process.stderr.write(`\n*** NOT AVAILABLE: ${error.message}\n\n`);
    return undefined;
  }
}
