import { type KubeObject, keyOf } from '../api/meta.ts';
import type { Resource } from '../api/resource.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeApi } from '../kube/port.ts';

export { deleteIfThere } from '../kube/delete-if-there.ts';

/**
 * Creates an object; where one of its name is there already, gives that one. Either is in the caches then, so that
 * who goes by the caches does not try again at once. Whose the other one is, is for the caller to look at.
 */
export async function createOrGet<T extends KubeObject>(
  api: KubeApi,
  resource: Resource<T>,
  object: T,
): Promise<T> {
  try {
    return await api.create(resource, object);
  } catch (error) {
    if (!isKubeError(error, 'KUBE_ALREADY_EXISTS')) throw error;
    return api.get(resource, keyOf(object));
  }
}
