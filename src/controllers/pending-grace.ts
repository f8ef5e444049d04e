import type { KubeObject } from '../api/meta.ts';

/**
 * How long a wait may last before it is worth a write to a status. Most issuances are over before, so that
 * nobody would have read it; what lasts longer is said, with its reason.
 */
const pendingGraceMs = 2_500;

/** How much of the grace is left for what `object` is waiting for, in milliseconds; 0 when it is over. */
export function pendingGraceLeftMs(object: KubeObject, nowMs: number): number {
  const createdMs = Date.parse(object.metadata.creationTimestamp ?? '');
  // A creationTimestamp has whole seconds only, and another machine's clock may be ahead of ours.
  const ageMs = Number.isNaN(createdMs) ? pendingGraceMs : Math.max(0, nowMs - createdMs);
  return Math.max(0, pendingGraceMs - ageMs);
}
