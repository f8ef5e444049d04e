import { controllerOf, type KubeObject, type OwnerReference } from '../api/meta.ts';
import { apiVersionOf, type Resource } from '../api/resource.ts';

/** The reference by which what is made for `owner` is controlled by it, and goes with it. */
export function ownedBy<T extends KubeObject>(owner: T, resource: Resource<T>): OwnerReference {
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    name: owner.metadata.name ?? '',
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** Whether `owner`, this very object, controls `object`. */
export function isControlledBy(object: KubeObject, owner: KubeObject): boolean {
  const uid = controllerOf(object)?.uid;
  return uid !== undefined && uid === owner.metadata.uid;
}
