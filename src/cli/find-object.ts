import type { KubeObject, ObjectKey } from '../api/meta.ts';
import type { Resource } from '../api/resource.ts';
import { PosternError } from '../core/errors.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeApi } from '../kube/port.ts';
import { crdsMissing } from './installed.ts';

const namesAtMost = 3;

/** Where else an object of this name is, for a hint: nothing where that may not be asked. */
async function elsewhere(
  api: KubeApi,
  resource: Resource<KubeObject>,
  name: string,
): Promise<readonly string[]> {
  try {
    const { items } = await api.list(resource, { fieldSelector: `metadata.name=${name}`, limit: 50 });
    return items.flatMap(({ metadata }) => metadata.namespace ?? []);
  } catch (thrown) {
    if (isKubeError(thrown)) return [];
    throw thrown;
  }
}

/**
 * The object that a command names. Throws OBJECT_NOT_FOUND, which says where there is one of that name;
 * CRDS_MISSING; and what the port throws.
 */
export async function findObject<T extends KubeObject>(
  api: KubeApi,
  resource: Resource<T>,
  key: ObjectKey,
): Promise<T> {
  try {
    return await api.get(resource, key);
  } catch (thrown) {
    if (!isKubeError(thrown, 'KUBE_NOT_FOUND')) throw thrown;
    if (!(await api.serves(resource))) throw crdsMissing(resource, thrown);
    const namespaces = await elsewhere(api, resource, key.name);
    const shown = namespaces.slice(0, namesAtMost).map(name => JSON.stringify(name));
    const hint =
      shown.length === 0
        ? ''
        : `; there is one in ${shown.join(', ')}${namespaces.length > namesAtMost ? ' and others' : ''}: name it by --namespace`;
    throw new PosternError(
      `There is no ${resource.kind} ${JSON.stringify(key.name)} in namespace ${JSON.stringify(key.namespace)}${hint}.`,
      { code: 'OBJECT_NOT_FOUND', retry: 'never', cause: thrown },
    );
  }
}
