import type { KubeObject } from '../api/meta.ts';
import type { Resource } from '../api/resource.ts';
import { sameJson } from '../core/same-json.ts';
import type { KubeApi } from '../kube/port.ts';

/** Writes a status where it differs from the one there is. Gives whether it did: only then is there news to tell. */
export async function writeStatus<T extends KubeObject & { status?: object | undefined }>(
  api: KubeApi,
  resource: Resource<T>,
  object: T,
  status: NonNullable<T['status']>,
): Promise<boolean> {
  if (sameJson(object.status ?? {}, status)) return false;
  await api.updateStatus(resource, { ...object, status });
  return true;
}
