import type { AcmeProblem } from './problem.ts';

/**
 * Whether a rate limit is about the names of one request alone, and none of the others. A server can say so in subproblems,
 * one for each name (RFC 8555 section 6.7.1). Let's Encrypt, which counts certificates of a registered domain, of a set of
 * names, and failures of a name, writes the names into its detail. Words that are not understood are about the account: that
 * keeps others waiting, and asks no server for what it has refused.
 */
export function isAboutNames(problem: AcmeProblem | undefined, names: readonly string[]): boolean {
  if (problem === undefined || names.length === 0) return false;
  const own = new Set(names.flatMap(name => domainsOf(plainName(name))));
  const { subproblems } = problem;
  if (subproblems.length > 0) {
    // One about nobody, or about a name that was not asked for, may be about all.
    return subproblems.every(({ identifier }) => identifier !== undefined && own.has(plainName(identifier)));
  }
  const detail = problem.detail.toLowerCase().replaceAll(/https?:\/\/\S+/g, ' ');
  if (/\bset of (identifiers|domains|names)\b/.test(detail)) return true;
  const words = new Set(detail.split(/[^\w.:*-]+/).map(word => word.replace(/[.:]+$/, '')));
  return [...own].some(domain => words.has(domain));
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

/** A name and the domains it is in, down to two labels; an IP address is itself. */
function domainsOf(name: string): string[] {
  if (/^[\d.]+$/.test(name) || name.includes(':')) return [name];
  const labels = name.split('.');
  const parents = labels.slice(0, -1).map((_, at) => labels.slice(at).join('.'));
  return [name, ...parents];
}
