import type { KubeObject, ObjectKey } from '../api/meta.ts';
import type { Resource } from '../api/resource.ts';
import type { KubeApi } from './port.ts';

/** Where the results of our own calls go. */
export interface Folding {
  /** An object as it was read just now. */
  read<T extends KubeObject>(resource: Resource<T>, object: T): void;
  /** An object as a write left it. */
  written<T extends KubeObject>(resource: Resource<T>, object: T): void;
  /** An object is about to be deleted; the result is to be called once the API has accepted that. */
  deleting<T extends KubeObject>(resource: Resource<T>, key: ObjectKey): () => void;
}

/**
 * The same API, whose results are folded into the caches before the caller has them: who reads the cache after
 * a write sees that write. What fails changes nothing.
 */
export function foldingApi(api: KubeApi, folding: Folding): KubeApi {
  const write = async <T extends KubeObject>(resource: Resource<T>, call: Promise<T>): Promise<T> => {
    const object = await call;
    folding.written(resource, object);
    return object;
  };
  return {
    async get(resource, key, signal) {
      const object = await api.get(resource, key, signal);
      folding.read(resource, object);
      return object;
    },
    list: (resource, options) => api.list(resource, options),
    watch: (resource, options) => api.watch(resource, options),
    create: (resource, object) => write(resource, api.create(resource, object)),
    update: (resource, object) => write(resource, api.update(resource, object)),
    updateStatus: (resource, object) => write(resource, api.updateStatus(resource, object)),
    mergePatch: (resource, key, patch, options) =>
      write(resource, api.mergePatch(resource, key, patch, options)),
    async delete(resource, key, options) {
      const deleted = folding.deleting(resource, key);
      await api.delete(resource, key, options);
      deleted();
    },
    serves: resource => api.serves(resource),
  };
}
