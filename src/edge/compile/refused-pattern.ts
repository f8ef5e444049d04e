import type { PathPattern } from '../match/path-pattern.ts';
import { compilePattern } from '../match/path-pattern.ts';

/** What a regular expression begins with that means itself, as far as it goes; `/` where it can begin in several ways. */
function literalBeginning(source: string): string {
  const begun = source.replace(/^\^/, '');
  const plain = /^[^\\.+*?()[\]{}^$|]*/.exec(begun)?.[0] ?? '';
  let depth = 0;
  for (const char of begun.replaceAll(/\\./g, '')) {
    if (char === '(') depth += 1;
    else if (char === ')') depth -= 1;
    else if (char === '|' && depth <= 0) return '/';
  }
  // What a repetition follows may be missing.
  return /^[*?{]/.test(begun.slice(plain.length)) ? plain.slice(0, -1) : plain;
}

/**
 * A pattern for all that a refused one may have been for, and perhaps more: every path that begins as it does. Undefined
 * where not even that can be told.
 */
export function widerPattern(source: string, ignoreCase: boolean): PathPattern | undefined {
  const beginning = literalBeginning(source);
  const compiled = compilePattern(beginning.replaceAll(/[^A-Za-z0-9/]/g, '\\$&'), { ignoreCase });
  return 'error' in compiled ? undefined : compiled.pattern;
}
