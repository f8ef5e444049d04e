/** How many of `total` requests each member of a group of equal Mappings gets. */
export interface Shares {
  readonly shares: readonly number[];
  readonly total: number;
}

/**
 * Shares a group's requests by the members' weights in percent; members without one share what is left. One member alone
 * gets everything, whatever its weight. Undefined where the weights are more than 100 together.
 */
export function sharesOf(weights: readonly (number | undefined)[]): Shares | undefined {
  if (weights.length === 1) return { shares: [1], total: 1 };
  const given = weights.reduce<number>((sum, weight) => sum + (weight ?? 0), 0);
  if (given > 100) return undefined;
  const without = weights.filter(weight => weight === undefined).length;
  // In parts that keep whole numbers whole.
  const parts = Math.max(1, without);
  const shares = weights.map(weight => (weight === undefined ? 100 - given : weight * parts));
  const total = shares.reduce((sum, share) => sum + share, 0);
  return total === 0 ? { shares: weights.map(() => 1), total: weights.length } : { shares, total };
}
