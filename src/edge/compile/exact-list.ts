const none: readonly never[] = Object.freeze([]);

/**
 * A copy for keeping. An array that was pushed into has room for sixteen more; thousands that hold one item each, or none,
 * would take more memory than what they hold.
 */
export function exactList<T>(list: readonly T[]): readonly T[] {
  return list.length === 0 ? none : list.slice();
}
