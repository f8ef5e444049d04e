/**
 * Whether two values say the same as JSON: the order of members does not count, nor does a member that is undefined. It
 * ends at the first difference, and builds nothing.
 */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((value, index) => sameJson(value, b[index]));
  }
  return (
    Object.keys(a).every(key => sameJson(member(a, key), member(b, key))) &&
    Object.keys(b).every(key => member(b, key) === undefined || member(a, key) !== undefined)
  );
}

/** Not what an object inherits: a label may be called `constructor`. */
function member(object: object, key: string): unknown {
  return Object.hasOwn(object, key) ? (object as Record<string, unknown>)[key] : undefined;
}
