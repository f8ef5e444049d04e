import { LruMap } from '../../core/lru.ts';
import { compilePattern, type PathPattern } from './path-pattern.ts';

/** Tables and policies keep patterns as text, so that they are plain data; each is compiled where it is first needed. */
const known = new LruMap<string, PathPattern | 'refused'>(1_000);
const knownWithoutCase = new LruMap<string, PathPattern | 'refused'>(1_000);

/**
 * Whether a pattern matches from the beginning of a text. All patterns were compiled when they were read; one that is refused
 * all the same matches nothing.
 */
export function patternMatches(source: string, text: string, ignoreCase = false): boolean {
  const patterns = ignoreCase ? knownWithoutCase : known;
  let pattern = patterns.get(source);
  if (pattern === undefined) {
    const compiled = compilePattern(source, { ignoreCase });
    pattern = 'error' in compiled ? 'refused' : compiled.pattern;
    patterns.set(source, pattern);
  }
  return pattern !== 'refused' && pattern.matches(text);
}
