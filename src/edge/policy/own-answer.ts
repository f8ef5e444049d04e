import type { ForwardDecision } from './decision.ts';

/**
 * The fields of an error that the edge answers in the place of an upstream, names and values in turn: those that browsers are
 * to know of the site whatever the answer is (HSTS, who may read it). Cookies and what is added are for answers of the upstream.
 */
export function fieldsOfOwnAnswer({ responseEdits }: ForwardDecision): readonly string[] {
  return responseEdits === undefined ? [] : responseEdits.set.flat();
}
