import { fieldPath } from '../api/problem.ts';

/** The fields of what was given that are not in what is kept: those that the schema does not know. Outermost ones alone. */
export function ignoredFields(given: unknown, kept: unknown, path: readonly PropertyKey[] = []): string[] {
  if (Array.isArray(given) && Array.isArray(kept))
    return given.flatMap((value, index) => ignoredFields(value, kept[index], [...path, index]));
  if (!isMap(given) || !isMap(kept)) return [];
  return Object.entries(given).flatMap(([name, value]) => {
    // The server's own, whatever is there.
    if (path.length === 0 && (name === 'metadata' || name === 'status')) return [];
    if (value === undefined || value === null) return [];
    return Object.hasOwn(kept, name)
      ? ignoredFields(value, kept[name], [...path, name])
      : [fieldPath([...path, name])];
  });
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
