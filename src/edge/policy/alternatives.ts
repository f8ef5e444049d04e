import type { Alternative, AlternativeCondition, Route } from '../compile/table.ts';
import { patternMatches } from '../match/known-patterns.ts';
import { cookieOf } from './cookies.ts';
import { clientScheme } from './forwarded.ts';
import type { CheckedHead } from './request-head.ts';

/**
 * Which of a route's alternatives takes a request, or undefined for the route itself. Each one is asked by its header, then
 * by its cookie; both can also say no. Where neither decides, one draw falls on the weights, laid end to end
 * (ingress-nginx: canary rules are evaluated in the order header, cookie, weight). The header `:scheme` is `http` or `https`.
 */
export function chooseAlternative(
  { alternatives }: Pick<Route, 'alternatives'>,
  head: CheckedHead,
  random: () => number,
): Alternative | undefined {
  const draw = random();
  let below = 0;
  for (const alternative of alternatives) {
    const { when } = alternative;
    const word = said(when, head);
    if (word === true) return alternative;
    if (word === false || when.weight <= 0 || when.total <= 0) continue;
    below += when.weight / when.total;
    if (draw < below) return alternative;
  }
  return undefined;
}

/** True or false where the header or the cookie decides. */
function said({ header, cookie }: AlternativeCondition, head: CheckedHead): boolean | undefined {
  if (header !== undefined) {
    const value = header.name === ':scheme' ? clientScheme(head) : head.fields.first(header.name);
    if (header.value !== undefined || header.pattern !== undefined) {
      if (value !== undefined && (value === header.value || matchesAnywhere(header.pattern, value)))
        return true;
    } else if (value === 'always' || value === 'never') return value === 'always';
  }
  const word = cookie === undefined ? undefined : cookieOf(head.fields, cookie);
  return word === 'always' ? true : word === 'never' ? false : undefined;
}

/** The pattern may match anywhere in the value. */
function matchesAnywhere(source: string | undefined, value: string): boolean {
  return source !== undefined && patternMatches(`.*?(?:${source})`, value);
}
