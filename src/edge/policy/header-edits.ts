import type { HeaderEdits } from './route-policy.ts';

const none: HeaderEdits = Object.freeze({ set: [], add: [], remove: [] });

/** Both, the second one after the first. */
export function mergeEdits(
  first: HeaderEdits | undefined,
  second: HeaderEdits | undefined,
): HeaderEdits | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return {
    set: [...first.set, ...second.set],
    add: [...first.add, ...second.add],
    remove: [...first.remove, ...second.remove],
  };
}

/** Edits of which some kinds are left out. */
export function edits(parts: Partial<HeaderEdits>): HeaderEdits {
  return { ...none, ...parts };
}
