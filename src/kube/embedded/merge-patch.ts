import { isDeepStrictEqual } from 'node:util';

type JsonObject = Record<string, unknown>;

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What `target` becomes by a JSON merge patch. Neither is changed. Source: RFC 7386, section 2. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return patch;
  const result: JsonObject = isJsonObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined || key === '__proto__') continue;
    if (value === null) delete result[key];
    else result[key] = applyMergePatch(result[key], value);
  }
  return result;
}

/**
 * The JSON merge patch that makes `after` of `before`, and that leaves alone what neither of them names.
 * Undefined where they are equal. Nulls in `after` cannot be told from absence (RFC 7386, section 1).
 */
export function mergePatchBetween(before: JsonObject, after: JsonObject): JsonObject | undefined {
  const patch: JsonObject = {};
  for (const key of Object.keys(before)) {
    if (after[key] === undefined || after[key] === null) patch[key] = null;
  }
  for (const [key, value] of Object.entries(after)) {
    const old = before[key];
    if (value === undefined || value === null || isDeepStrictEqual(old, value)) continue;
    if (isJsonObject(old) && isJsonObject(value)) patch[key] = mergePatchBetween(old, value);
    else patch[key] = value;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}
