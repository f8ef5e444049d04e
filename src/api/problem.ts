/** One thing that is wrong with an object, said to the user who wrote it. */
export interface Problem {
  /** Where: `spec.dnsNames[1]`. */
  readonly field: string;
  /** What stands there; undefined where nothing does. */
  readonly value: unknown;
  /** A sentence without a full stop that names the field, the value and the fix. */
  readonly message: string;
}

/** A path as people write it: `spec.dnsNames[1]`, `metadata.annotations["a.b/c"]`. */
export function fieldPath(path: readonly PropertyKey[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[A-Za-z_$][\w$-]*$/.test(String(step)))
      text += text === '' ? String(step) : `.${String(step)}`;
    else text += `[${JSON.stringify(String(step))}]`;
  }
  return text;
}

/** What stands at a path of an object. */
export function valueAt(object: unknown, path: readonly PropertyKey[]): unknown {
  let value = object;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}

const longestValue = 80;

/** A value as it is shown in a message: JSON, cut short; lists and objects without what is in them. */
export function shownValue(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[${value.length} entries]`;
  if (typeof value === 'object' && value !== null) return '{...}';
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= longestValue ? text : `${text.slice(0, longestValue)}..."`;
}

/**
 * A problem with what stands at `path`. `wanted` goes on where the field and its value have been named:
 * "must be ...", "is missing: ...". A secret value is left out of the sentence and of the problem.
 */
export function problemAt(
  object: unknown,
  path: readonly PropertyKey[],
  wanted: string,
  options: { readonly secret?: boolean } = {},
): Problem {
  const field = fieldPath(path);
  const value = options.secret === true ? undefined : valueAt(object, path);
  const subject = value === undefined || typeof value === 'object' ? field : `${field} ${shownValue(value)}`;
  return { field, value, message: `${subject} ${wanted}` };
}

/** Several problems as one text. */
export function problemsText(problems: readonly Problem[]): string {
  return problems.map(problem => problem.message).join('; ');
}
