import { sharedString } from './shared-strings.ts';

/** Freezes a value of JSON all the way down and gives it back. Its short texts become one with those of other objects. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    const members = value as Record<string, unknown>;
    for (const name of Object.keys(members)) {
      const member = members[name];
      if (typeof member === 'string') members[name] = sharedString(member);
      else deepFreeze(member);
    }
    Object.freeze(value);
  }
  return value;
}
