import type { KubeObject } from '../api/meta.ts';
import type { Resource } from '../api/resource.ts';
import { KubeError } from '../kube/errors.ts';
import type { KubeApi } from '../kube/port.ts';

/** A write that reached the API, events left out. */
export interface Write {
  /** `create Secret`, `update Certificate status`, `delete Order`. */
  readonly what: string;
  readonly name: string;
  /** As it was stored; undefined for a deletion. */
  readonly stored: KubeObject | undefined;
}

/**
 * What becomes of a write: it is done; it is done and the answer is lost; or the process dies before it is done, which
 * for this API means that nothing it is asked from then on is answered.
 */
export type Fate = 'done' | 'answer lost' | 'death';

/**
 * `api`, with every write in `writes`, and the fate of each as `fateOf` says, which is told how many were asked for
 * before. What `refusalOf` has a message for is forbidden.
 */
export function faultyApi(
  api: KubeApi,
  writes: Write[],
  fateOf: (before: number) => Fate,
  refusalOf: (what: string) => string | undefined = () => undefined,
): KubeApi & { isDead(): boolean } {
  let isDead = false;
  let asked = 0;
  const unavailable = (): KubeError => new KubeError('KUBE_UNAVAILABLE', 'The connection was lost');

  async function call<T>(work: () => Promise<T>): Promise<T> {
    if (isDead) throw unavailable();
    return work();
  }

  async function write<T extends KubeObject | undefined>(
    resource: Resource<KubeObject>,
    verb: string,
    name: () => string,
    work: () => Promise<T>,
  ): Promise<T> {
    if (resource.kind === 'Event') return call(work);
    const fate = isDead ? 'death' : fateOf(asked);
    asked += 1;
    if (fate === 'death') {
      isDead = true;
      throw unavailable();
    }
    const refusal = refusalOf(verb);
    if (refusal !== undefined) throw new KubeError('KUBE_FORBIDDEN', `${verb}: ${refusal}`);
    const stored = await work();
    writes.push({ what: verb, name: stored?.metadata.name ?? name(), stored });
    if (fate === 'answer lost') throw unavailable();
    return stored;
  }

  return {
    isDead: () => isDead,
    get: (resource, key, signal) => call(() => api.get(resource, key, signal)),
    list: (resource, options) => call(() => api.list(resource, options)),
    watch: (resource, options) => api.watch(resource, options),
    serves: resource => call(() => api.serves(resource)),
    create: (resource, object) =>
      write(
        resource,
        `create ${resource.kind}`,
        () => object.metadata.name ?? '',
        () => api.create(resource, object),
      ),
    update: (resource, object) =>
      write(
        resource,
        `update ${resource.kind}`,
        () => object.metadata.name ?? '',
        () => api.update(resource, object),
      ),
    updateStatus: (resource, object) =>
      write(
        resource,
        `update ${resource.kind} status`,
        () => object.metadata.name ?? '',
        () => api.updateStatus(resource, object),
      ),
    mergePatch: (resource, key, patch, options) =>
      write(
        resource,
        `patch ${resource.kind}`,
        () => key.name,
        () => api.mergePatch(resource, key, patch, options),
      ),
    async delete(resource, key, options) {
      await write(
        resource,
        `delete ${resource.kind}`,
        () => key.name,
        async () => {
          await api.delete(resource, key, options);
          return undefined;
        },
      );
    },
  };
}
