import { PrivateMaterial } from './private-material.ts';
import type { HostRoutes } from './table.ts';

/**
 * Whether two values of a table mean the same. Functions are taken for equal: those of a pattern follow from its source,
 * which is compared.
 */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a === 'function' && typeof b === 'function') return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof PrivateMaterial && b instanceof PrivateMaterial) return a.reveal() === b.reveal();
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((value, index) => sameValue(value, b[index]));
  if (a instanceof Map && b instanceof Map) return sameMap(a, b);
  if (a instanceof Set && b instanceof Set) return a.size === b.size && [...a].every(value => b.has(value));
  const before = Object.entries(a);
  const after: Record<string, unknown> = { ...b };
  return (
    before.length === Object.keys(after).length &&
    before.every(([key, value]) => Object.hasOwn(after, key) && sameValue(value, after[key]))
  );
}

function sameMap(a: ReadonlyMap<unknown, unknown>, b: ReadonlyMap<unknown, unknown>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (!b.has(key) || !sameValue(value, b.get(key))) return false;
  return true;
}

/** The earlier value where the new one means the same: what did not change stays the same object. */
export function kept<T>(before: T | undefined, after: T): T {
  return before !== undefined && sameValue(before, after) ? before : after;
}

/** A copy of a map with some entries set and, where the value is undefined, removed; the map itself where all is as it was. */
export function withEntries<K, V>(
  before: ReadonlyMap<K, V>,
  changes: Iterable<readonly [K, V | undefined]>,
): ReadonlyMap<K, V> {
  let after: Map<K, V> | undefined;
  for (const [key, value] of changes) {
    if (before.get(key) === value) continue;
    after ??= new Map(before);
    if (value === undefined) after.delete(key);
    else after.set(key, value);
  }
  return after ?? before;
}

/** The routes of a host, with each that is as before the same object as before. */
export function keptRoutes(before: HostRoutes | undefined, after: HostRoutes): HostRoutes {
  if (before === undefined) return after;
  const root = kept(before.root, after.root);
  const exact = keptEntries(before.exact, after.exact);
  const prefixes = keptEntries(before.prefixes, after.prefixes);
  const patterns = keptList(before.patterns, after.patterns);
  const fallback = kept(before.fallback, after.fallback);
  const same =
    root === before.root &&
    exact === before.exact &&
    prefixes === before.prefixes &&
    patterns === before.patterns &&
    fallback === before.fallback;
  return same ? before : Object.freeze({ ...after, root, exact, prefixes, patterns, fallback });
}

function keptEntries<T>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
): ReadonlyMap<string, T> {
  let same = before.size === after.size;
  const entries = new Map<string, T>();
  for (const [key, value] of after) {
    const known = before.get(key);
    const one = kept(known, value);
    if (one !== known) same = false;
    entries.set(key, one);
  }
  return same ? before : entries;
}

function keptList<T>(before: readonly T[], after: readonly T[]): readonly T[] {
  const list = after.map((value, index) => kept(before[index], value));
  return list.length === before.length && list.every((value, index) => value === before[index])
    ? before
    : list;
}
