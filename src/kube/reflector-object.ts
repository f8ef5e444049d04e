import type { KubeObject } from '../api/meta.ts';
import { deepFreeze } from './freeze.ts';

/** Makes what a cache keeps out of what the API gave: without `metadata.managedFields`, transformed, frozen. */
export type Prepare<T> = (object: T) => T;

function withoutManagedFields<T extends KubeObject>(object: T): T {
  if (!('managedFields' in object.metadata)) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** @param transform gives the object that is kept instead; must be pure, and keep the metadata that identifies it */
export function prepareWith<T extends KubeObject>(transform: ((object: T) => T) | undefined): Prepare<T> {
  if (transform === undefined) return object => deepFreeze(withoutManagedFields(object));
  return object => deepFreeze(transform(withoutManagedFields(object)));
}
