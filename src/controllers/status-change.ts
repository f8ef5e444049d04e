import type { KubeObject } from '../api/meta.ts';
import { sameJson } from '../core/same-json.ts';
import type { CacheChange } from '../kube/cache.ts';

/**
 * Whether a change is one of the status alone: who does not read that has nothing to do. What a cache tells again from time
 * to time, so that nothing is lost for good, is the same object before and after, and counts as a change of anything.
 */
export function isStatusChange<T extends KubeObject & { spec: object }>({
  before,
  after,
}: CacheChange<T>): boolean {
  if (before === undefined || after === undefined || before === after) return false;
  const [then, now] = [before, after].map(({ metadata, spec }) => ({
    metadata: { ...metadata, resourceVersion: undefined },
    spec,
  }));
  return sameJson(then, now);
}
