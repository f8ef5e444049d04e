import { METHODS } from 'node:http';
import { canonicalPath } from '../../match/canonical-path.ts';
import type { Reading, SeenMessage } from './reading.testing.ts';

/** What Node refuses and the edge takes, since it passes it on in its one form, or does not pass it on: by Node's code. */
const stricter: Readonly<Record<string, (mine: SeenMessage, stream: string) => boolean>> = {
  // Node knows a list of methods, the edge any token.
  HPE_INVALID_METHOD: ({ method }) => !METHODS.includes(method),
  HPE_INVALID_URL: ({ target }) => /%[89A-F]|[\u0080-\u00ff]/.test(target),
  HPE_INVALID_TRANSFER_ENCODING: (_mine, stream) => /chunked *\t/i.test(stream),
  // Of no standard, and passed on by nobody.
  HPE_CLOSED_CONNECTION: (_mine, stream) => /proxy-connection:[ \t]*close/i.test(stream),
};

/**
 * Why bytes that the edge has accepted are dangerous before this other parser: it would split them otherwise. Undefined where
 * it would not. What the edge refuses, the other one may make of what it likes: nothing of it is forwarded.
 */
export function disagreement(edge: Reading, other: Reading, stream: string): string | undefined {
  for (const [index, mine] of edge.requests.entries()) {
    const theirs = other.requests[index];
    if (theirs === undefined) {
      // Node reads no further behind an offer to change protocols; the edge does not take up those of HTTP/2, and goes on.
      if (index > 0 && other.refused === undefined && /upgrade:[ \t]*(?:h2c|http\/)/i.test(stream))
        return undefined;
      if (stricter[other.refused ?? '']?.(mine, stream) === true) return undefined;
      return `request ${index} is taken by the edge alone (${other.refused ?? 'incomplete'})`;
    }
    const difference = differenceOf(mine, theirs);
    if (difference !== undefined) return `request ${index}: ${difference}`;
  }
  const next = other.requests[edge.requests.length];
  if (edge.inBody && edge.refused === undefined && next !== undefined)
    return `the edge waits for the rest of a body that the other one has: ${JSON.stringify(next)}`;
  if (!edge.inBody && !edge.closed && edge.refused === undefined && next !== undefined)
    return `the other one has a request more: ${JSON.stringify(next)}`;
  return undefined;
}

function differenceOf(mine: SeenMessage, theirs: SeenMessage): string | undefined {
  if (mine.method !== theirs.method) return `method ${mine.method}, ${theirs.method}`;
  if (mine.body !== theirs.body) return `body ${JSON.stringify(mine.body)}, ${JSON.stringify(theirs.body)}`;
  if (mine.target !== canonicalTarget(theirs.target)) return `target ${mine.target}, ${theirs.target}`;
  return undefined;
}

/** A target in the form that the edge forwards. */
export function canonicalTarget(target: string): string | undefined {
  const local = target.replace(/^https?:\/\/[^/?]*/i, '');
  const mark = local.indexOf('?');
  const path = canonicalPath((mark < 0 ? local : local.slice(0, mark)) || '/');
  return path === undefined ? undefined : path + (mark < 0 ? '' : local.slice(mark));
}
