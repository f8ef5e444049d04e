import type { KubeObject } from '../api/meta.ts';
import type { Resource } from '../api/resource.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeApi, Selection } from '../kube/port.ts';
import { crdsMissing } from './installed.ts';

/** All objects of a resource, page by page. */
export async function listAll<T extends KubeObject>(
  api: KubeApi,
  resource: Resource<T>,
  selection: Selection,
): Promise<T[]> {
  const items: T[] = [];
  let next: string | undefined;
  do {
    const page = await api.list(resource, { ...selection, limit: 500, continue: next });
    items.push(...page.items);
    next = page.continue;
  } while (next !== undefined && next !== '');
  return items;
}

/** As `listAll`, for the resources that come with Postern. Throws CRDS_MISSING too. */
export async function listInstalled<T extends KubeObject>(
  api: KubeApi,
  resource: Resource<T>,
  selection: Selection,
): Promise<T[]> {
  try {
    return await listAll(api, resource, selection);
  } catch (thrown) {
    throw isKubeError(thrown, 'KUBE_NOT_FOUND') ? crdsMissing(resource, thrown) : thrown;
  }
}
