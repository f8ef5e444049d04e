import type { KubeObject } from '../../api/meta.ts';
import { keyOf, keyText } from '../../api/meta.ts';

/** Where an object stands among those that want the same: the oldest first, then by namespace and name. */
export interface Rank {
  readonly age: string;
  readonly name: string;
}

export function rankOf(object: KubeObject): Rank {
  // An object without a time has not been stored yet: it is the youngest.
  return { age: object.metadata.creationTimestamp ?? '9999', name: keyText(keyOf(object)) };
}

/** Below 0 where `a` comes first. */
export function compareRank(a: Rank, b: Rank): number {
  return compareText(a.age, b.age) || compareText(a.name, b.name);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Adds to a list that is in order, behind those of the same rank. */
export function insertRanked<T>(list: T[], item: T, rank: (one: T) => Rank): void {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = list[middle];
    if (other !== undefined && compareRank(rank(other), rank(item)) <= 0) low = middle + 1;
    else high = middle;
  }
  list.splice(low, 0, item);
}
