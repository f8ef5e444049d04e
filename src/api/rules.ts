import type { z } from 'zod';

/**
 * What OpenAPI cannot say about a value. One list serves three: the CRD (CEL, where the rule has it), the
 * embedded store, and the reconcilers, which look again where no CEL ran (Kubernetes below 1.25).
 */
export interface Rule<T> {
  /** The field at fault, below the value that the rule is on; `''` is the value itself. */
  readonly field: string;
  /** What is wanted and the way there; it goes on after the field's name: "must be above 5m: ...". */
  readonly message: string;
  /** Whether the value keeps the rule. Values that a schema check refuses already count as kept. */
  readonly holds: (value: T) => boolean;
  /**
   * The same in CEL, `self` being the value. Only what Kubernetes 1.25 compiles. Absent where the
   * value's syntax alone is at fault, or where CEL has no means.
   */
  readonly cel?: string;
}

/** An entry of `x-kubernetes-validations`. */
export interface CelValidation {
  readonly rule: string;
  readonly message: string;
}

const validationsKey = 'x-kubernetes-validations';
const immutableCel = 'self == oldSelf';

/** The CEL validations that a schema carries. */
export function celValidationsOf(schema: z.ZodType): readonly CelValidation[] {
  return (schema.meta()?.[validationsKey] as readonly CelValidation[] | undefined) ?? [];
}

/** The schema, with rules. */
export function withRules<S extends z.ZodType>(schema: S, ...rules: readonly Rule<z.output<S>>[]): S {
  const validations = rules.flatMap(({ cel, field, message }) =>
    cel === undefined ? [] : [{ rule: cel, message: field === '' ? message : `${field} ${message}` }],
  );
  const checked = schema.superRefine((value, context) => {
    for (const rule of rules) {
      if (rule.holds(value)) continue;
      const path = rule.field === '' ? [] : rule.field.split('.');
      context.addIssue({ code: 'custom', message: rule.message, path, input: value });
    }
  });
  if (validations.length === 0) return checked;
  return checked.meta({ [validationsKey]: [...celValidationsOf(schema), ...validations] });
}

/** The schema of a value that stays as it was created. */
export function immutable<S extends z.ZodType>(schema: S): S {
  const validation = { rule: immutableCel, message: immutableMessage };
  return schema.meta({ [validationsKey]: [...celValidationsOf(schema), validation] });
}

/** What is said to someone who changes what `immutable` keeps. */
export const immutableMessage = 'must not be changed: delete the object and create another';

/** Whether `immutable` made this schema. */
export function isImmutable(schema: z.ZodType): boolean {
  return celValidationsOf(schema).some(validation => validation.rule === immutableCel);
}
