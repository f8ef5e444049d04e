import type { KubeObject } from './meta.ts';

/**
 * One resource of the API: how a kind is addressed. `T` is the type of its objects.
 */
export interface Resource<T extends KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Whether /status is a subresource, so that status changes by `updateStatus` alone. */
  readonly hasStatus: boolean;
  /** Ties the type to the value; never read. */
  readonly objectType?: T;
}

/** `group/version`, or `version` for the core group. */
export function apiVersionOf(resource: Resource<KubeObject>): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** A name for a resource that is unique among all: `certificates.cert-manager.io`. */
export function resourceId(resource: Resource<KubeObject>): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}
