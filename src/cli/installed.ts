import type { KubeObject } from '../api/meta.ts';
import { apiVersionOf, type Resource } from '../api/resource.ts';
import { PosternError } from '../core/errors.ts';

/** Says that the API server lacks a resource that comes with Postern. */
export function crdsMissing(resource: Resource<KubeObject>, cause: unknown): PosternError {
  return new PosternError(
    `The API server does not know ${resource.kind} (${apiVersionOf(resource)}): install the CRDs, kubectl apply -f crds/.`,
    { code: 'CRDS_MISSING', retry: 'never', cause },
  );
}
