import { type KubeObject, keyOf } from '../api/meta.ts';
import type { Resource } from '../api/resource.ts';
import { isKubeError } from './errors.ts';
import type { KubeApi } from './port.ts';

/** Deletes just this object. Fine where it is gone, or where another has its name by now. */
export async function deleteIfThere<T extends KubeObject>(
  api: KubeApi,
  resource: Resource<T>,
  object: T,
): Promise<void> {
  try {
    await api.delete(resource, keyOf(object), { uid: object.metadata.uid });
  } catch (error) {
    if (isKubeError(error, 'KUBE_NOT_FOUND')) return;
    // Another has its name, as a rule; but a server may also say so where it could not do it just then.
    if (!isKubeError(error, 'KUBE_CONFLICT') || (await isThere(api, resource, object))) throw error;
  }
}

async function isThere<T extends KubeObject>(
  api: KubeApi,
  resource: Resource<T>,
  object: T,
): Promise<boolean> {
  try {
    return (await api.get(resource, keyOf(object))).metadata.uid === object.metadata.uid;
  } catch (error) {
    if (isKubeError(error, 'KUBE_NOT_FOUND')) return false;
    throw error;
  }
}
