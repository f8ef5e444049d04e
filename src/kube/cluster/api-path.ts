import type { KubeObject } from '../../api/meta.ts';
import type { Resource } from '../../api/resource.ts';
import { KubeError } from '../errors.ts';

/** Where a request goes: a collection, an object of it, or a subresource of that. */
interface ApiTarget {
  /** Absent or `''`: the collection of all namespaces, or a cluster-scoped one. */
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: 'status' | undefined;
}

/** `/apis/{group}/{version}`, or `/api/{version}` for the core group. */
export function groupVersionPath(resource: Resource<KubeObject>): string {
  return resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
}

/**
 * One segment of a path. An empty one would turn an object into its collection, `..` would leave it: both
 * are refused, as INVALID, before anything is sent.
 */
function segment(field: string, value: string): string {
  if (value === '' || value === '.' || value === '..' || /[/%]/.test(value)) {
    throw new KubeError(
      'KUBE_INVALID',
      `${field}: ${JSON.stringify(value)} is not a name; give the object one`,
    );
  }
  return encodeURIComponent(value);
}

/** The path of an object: it needs a name, and a namespace where its resource is namespaced. */
export function objectPath(
  resource: Resource<KubeObject>,
  target: ApiTarget & { readonly name: string },
): string {
  const suffix = target.subresource === undefined ? '' : `/${target.subresource}`;
  return `${ownCollectionPath(resource, target.namespace)}/${segment('metadata.name', target.name)}${suffix}`;
}

/** The path of the collection that one object lives in, which is where it is created. */
export function ownCollectionPath(resource: Resource<KubeObject>, namespace: string | undefined): string {
  if (!resource.namespaced) return `${groupVersionPath(resource)}/${resource.plural}`;
  return `${groupVersionPath(resource)}/namespaces/${segment('metadata.namespace', namespace ?? '')}/${resource.plural}`;
}

/** The path of the collection of one namespace, or of all of them. */
export function collectionPath(resource: Resource<KubeObject>, namespace: string | undefined): string {
  if (namespace === undefined || namespace === '') return `${groupVersionPath(resource)}/${resource.plural}`;
  return ownCollectionPath(resource, namespace);
}

/** `?a=b&c=d` of what is defined, or nothing. */
export function queryOf(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') query.set(name, String(value));
  }
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}
