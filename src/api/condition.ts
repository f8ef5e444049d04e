/** A status condition, as `metav1.Condition` writes it. */
export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason?: string | undefined;
  message?: string | undefined;
  /** RFC 3339, whole seconds: when `status` last became what it is. */
  lastTransitionTime?: string | undefined;
  /** The `metadata.generation` that the condition was made from. */
  observedGeneration?: number | undefined;
}

/** The condition of this type, if there is one. */
export function findCondition<C extends { readonly type: string }>(
  conditions: readonly C[] | undefined,
  type: string,
): C | undefined {
  return conditions?.find(condition => condition.type === type);
}

/** Whether the condition of this type stands, with this status. */
export function hasCondition(
  conditions: readonly Condition[] | undefined,
  type: string,
  status: Condition['status'] = 'True',
): boolean {
  return findCondition(conditions, type)?.status === status;
}

/**
 * A new list with `condition` set: in the place of the one of the same type, else at the end. Where the
 * status stays the same, the old lastTransitionTime stays too.
 */
export function withCondition(
  conditions: readonly Condition[] | undefined,
  condition: Condition,
): Condition[] {
  const before = findCondition(conditions, condition.type);
  if (before === undefined) return [...(conditions ?? []), condition];
  const since = before.status === condition.status ? before.lastTransitionTime : undefined;
  const after = since === undefined ? condition : { ...condition, lastTransitionTime: since };
  return (conditions ?? []).map(one => (one === before ? after : one));
}

/** A new list without the condition of this type. */
export function withoutCondition(conditions: readonly Condition[] | undefined, type: string): Condition[] {
  return (conditions ?? []).filter(condition => condition.type !== type);
}
