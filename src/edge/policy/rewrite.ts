import type { Route } from '../compile/table.ts';
import { canonicalPath } from '../match/canonical-path.ts';
import { type CaptureGroups, compileCaptures } from '../match/path-captures.ts';
import type { CheckedHead } from './request-head.ts';
import type { Rewrite } from './route-policy.ts';

/**
 * Path and query for the upstream. The result is brought to the canonical form again; undefined where it would climb out of
 * where it belongs, and the request is refused.
 */
export function rewrittenTarget(
  rewrite: Rewrite,
  route: Route,
  { path, query }: CheckedHead,
): string | undefined {
  if (rewrite.kind === 'pattern') return byPattern(rewrite.target, route, path, query);
  const changed =
    rewrite.kind === 'prefix'
      ? withPrefix(path, rewrite.prefix, rewrite.replacement)
      : substituted(path, rewrite.pattern, rewrite.substitution);
  const canonical = wholePath(changed);
  return canonical === undefined ? undefined : `${canonical}${query}`;
}

/**
 * As nginx's `rewrite`: the target takes the place of the whole path. A query in it comes before the client's, and a target
 * that ends with `?` drops the client's.
 */
function byPattern(target: string, route: Route, path: string, query: string): string | undefined {
  const groups = target.includes('$') ? (capturesOf(route)?.(path) ?? []) : [];
  const fill = (text: string): string =>
    text.replaceAll(/\$(\d)/g, (_, digit: string) => groups[Number(digit)] ?? '');
  const mark = target.indexOf('?');
  const filled = fill(mark < 0 ? target : target.slice(0, mark));
  const canonical = wholePath(filled);
  if (canonical === undefined) return undefined;
  if (mark < 0) return `${canonical}${query}`;
  const own = fill(target.slice(mark + 1));
  if (own === '') return canonical;
  return `${canonical}?${own}${query.length > 1 ? `&${query.slice(1)}` : ''}`;
}

const dotSegment = /(?:^|\/)\.{1,2}(?:\/|$)/;

/** The path in its canonical form. Neither part had dot segments: one that has come about leads out of where it belongs. */
function wholePath(text: string): string | undefined {
  const path = text.startsWith('/') ? text : `/${text}`;
  return dotSegment.test(path) ? undefined : canonicalPath(path);
}

/** Compiled when first asked for, and gone with the table. */
const captures = new WeakMap<Route, CaptureGroups | { readonly none: true }>();

function capturesOf(route: Route): CaptureGroups | undefined {
  if (route.kind !== 'Regex') return undefined;
  let known = captures.get(route);
  if (known === undefined) {
    const compiled = compileCaptures(route.path, { ignoreCase: true });
    known = 'error' in compiled ? { none: true } : compiled.captures;
    captures.set(route, known);
  }
  return typeof known === 'function' ? known : undefined;
}

/** `/foo` to `/` makes `/bar` of `/foo/bar`, not `//bar`. */
function withPrefix(path: string, prefix: string, replacement: string): string {
  if (!path.toLowerCase().startsWith(prefix.toLowerCase())) return path;
  const rest = path.slice(prefix.length);
  return replacement.endsWith('/') && rest.startsWith('/')
    ? `${replacement}${rest.slice(1)}`
    : `${replacement}${rest}`;
}

const substitutions = new Map<string, CaptureGroups | undefined>();
const mostMatches = 16;

/** Each match of the pattern, from left to right; `\1` is a group of it (RE2's syntax, as in Envoy). */
function substituted(path: string, pattern: string, substitution: string): string {
  let groupsOf = substitutions.get(pattern);
  if (groupsOf === undefined && !substitutions.has(pattern)) {
    // What comes before the match is the first group, the match the second one.
    const compiled = compileCaptures(`(.*?)(${pattern})`);
    groupsOf = 'error' in compiled ? undefined : compiled.captures;
    if (substitutions.size > 1_000) substitutions.clear();
    substitutions.set(pattern, groupsOf);
  }
  if (groupsOf === undefined) return path;
  let done = '';
  let rest = path;
  for (let count = 0; count < mostMatches; count += 1) {
    const [whole = '', before = '', match = '', ...groups] = groupsOf(rest) ?? [];
    if (match === '') break;
    const all = [match, ...groups];
    done += before + substitution.replaceAll(/\\(\d)/g, (_, digit: string) => all[Number(digit)] ?? '');
    rest = rest.slice(whole.length);
    if (rest === '' || pattern.startsWith('^')) break;
  }
  return done + rest;
}
