import type { KubeObject } from '../../api/meta.ts';
import type { Resource } from '../../api/resource.ts';
import type { Clock } from '../../core/clock.ts';
import { isKubeError } from '../errors.ts';
import { groupVersionPath } from './api-path.ts';

/** For how long an answer of the discovery is good, in milliseconds. What is missing may be installed any moment. */
const servedForMs = 60_000;
const absentForMs = 5_000;

interface Discovered {
  readonly plurals: ReadonlySet<string>;
  readonly until: number;
}

/** The plurals of an `APIResourceList`, subresources aside. */
function pluralsOf(list: unknown): ReadonlySet<string> {
  const resources = (list as { resources?: unknown } | undefined)?.resources;
  const names = Array.isArray(resources)
    ? (resources as { name?: unknown }[]).map(resource => resource.name)
    : [];
  return new Set(names.filter(name => typeof name === 'string'));
}

/**
 * Answers which resources are served, a group version at a time.
 *
 * @param read gets the JSON at a path; throws NOT_FOUND where nothing is there
 */
export function createDiscovery(
  read: (path: string) => Promise<unknown>,
  clock: Clock,
): (resource: Resource<KubeObject>) => Promise<boolean> {
  const known = new Map<string, Discovered>();
  const pending = new Map<string, Promise<Discovered>>();

  const discover = async (path: string): Promise<Discovered> => {
    let plurals: ReadonlySet<string> = new Set();
    try {
      plurals = pluralsOf(await read(path));
    } catch (thrown) {
      if (!isKubeError(thrown, 'KUBE_NOT_FOUND')) throw thrown;
    }
    const discovered = { plurals, until: clock.now() + servedForMs };
    known.set(path, discovered);
    return discovered;
  };

  return async resource => {
    const path = groupVersionPath(resource);
    const cached = known.get(path);
    if (cached !== undefined) {
      const served = cached.plurals.has(resource.plural);
      const until = served ? cached.until : cached.until - servedForMs + absentForMs;
      if (clock.now() < until) return served;
    }
    let asked = pending.get(path);
    if (asked === undefined) {
      asked = discover(path).finally(() => pending.delete(path));
      pending.set(path, asked);
    }
    return (await asked).plurals.has(resource.plural);
  };
}
