import { events } from '../../src/api/kubernetes/event.ts';
import { type KubeObject, keyText } from '../../src/api/meta.ts';
import type { Resource } from '../../src/api/resource.ts';
import type { KubeApi } from '../../src/kube/port.ts';

/**
 * The same API; `written` is told of each write once it is stored, before its caller is. Events are left out: they are
 * no state.
 */
export function countedWrites(api: KubeApi, written: (what: string) => void): KubeApi {
  const noted = async <T>(verb: string, resource: Resource<KubeObject>, name: string, write: Promise<T>) => {
    const result = await write;
    if (resource.kind !== events.kind) written(`${verb} ${resource.plural} ${name}`);
    return result;
  };
  const nameOf = ({ metadata }: KubeObject): string =>
    keyText({ namespace: metadata.namespace ?? '', name: metadata.name ?? metadata.generateName ?? '' });
  return {
    get: (resource, key, signal) => api.get(resource, key, signal),
    list: (resource, options) => api.list(resource, options),
    watch: (resource, options) => api.watch(resource, options),
    serves: resource => api.serves(resource),
    create: (resource, object) => noted('create', resource, nameOf(object), api.create(resource, object)),
    update: (resource, object) => noted('update', resource, nameOf(object), api.update(resource, object)),
    updateStatus: (resource, object) =>
      noted('status', resource, nameOf(object), api.updateStatus(resource, object)),
    mergePatch: (resource, key, patch, options) =>
      noted('patch', resource, keyText(key), api.mergePatch(resource, key, patch, options)),
    delete: (resource, key, options) =>
      noted('delete', resource, keyText(key), api.delete(resource, key, options)),
  };
}
