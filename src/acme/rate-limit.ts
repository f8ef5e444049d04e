import type { AcmeProblem } from './problem.ts';

/**
 * Whether a rate limit is about the names of one request alone, and none of the others: Let's Encrypt counts
 * certificates of a registered domain, of a set of names, and failures of a name, and says so by naming them.
 */
export function isAboutNames(problem: AcmeProblem | undefined, names: readonly string[]): boolean {
  if (problem === undefined || names.length === 0) return false;
  if (problem.subproblems.some(({ identifier }) => identifier !== undefined)) return true;
  const detail = problem.detail.toLowerCase().replaceAll(/https?:\/\/\S+/g, ' ');
  if (/\bset of (identifiers|domains|names)\b/.test(detail)) return true;
  const words = new Set(detail.split(/[^\w.:*-]+/).map(word => word.replace(/[.:]+$/, '')));
  return names.some(name => domainsOf(name.toLowerCase()).some(domain => words.has(domain)));
}

/** A name and the domains it is in, down to two labels; an IP address is itself. */
function domainsOf(name: string): string[] {
  if (/^[\d.]+$/.test(name) || name.includes(':')) return [name];
  const labels = name.split('.');
  const parents = labels.slice(0, -1).map((_, at) => labels.slice(at).join('.'));
  return [name, ...parents];
}
