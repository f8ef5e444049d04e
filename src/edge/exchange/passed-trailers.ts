import { fieldKind } from '../http1/field-kind.ts';
import type { HeaderEdits } from '../policy/route-policy.ts';
import { keepFields } from './edit-fields.ts';
import { kindOf } from './field-kinds.ts';
import type { HeaderFields } from './header-fields.ts';

/** Fields that steer a message and never come behind its body (RFC 9110 section 6.5.1). */
const neverTrailers: ReadonlySet<string> = new Set([
  'authorization',
  'cache-control',
  'content-encoding',
  'content-range',
  'content-type',
  'cookie',
  'set-cookie',
  'location',
]);

/** What only the edge says of a request, an answer may say, too: the head's fields of these kinds pass as well. */
const inAnswers: ReadonlySet<number> = new Set([
  fieldKind.other,
  fieldKind.forwarded,
  fieldKind.original,
  fieldKind.unsafe,
]);

/**
 * The trailers of a request as they go to the upstream, whatever the protocols: many a receiver takes them for fields of the
 * head, so that what the head may not hold may not come behind it either. Gone are framing, what is of one connection, what
 * only the edge may say, and what the edits of the head have set or taken away. Undefined where none are left.
 */
export function requestTrailers(
  trailers: HeaderFields | undefined,
  edits: HeaderEdits | undefined,
): HeaderFields | undefined {
  return passed(trailers, edits, kind => kind === fieldKind.other);
}

/** The trailers of an answer as they go to the client, in the same way. */
export function answerTrailers(
  trailers: HeaderFields | undefined,
  edits: HeaderEdits | undefined,
): HeaderFields | undefined {
  return passed(trailers, edits, kind => inAnswers.has(kind));
}

function passed(
  trailers: HeaderFields | undefined,
  edits: HeaderEdits | undefined,
  isPassed: (kind: number) => boolean,
): HeaderFields | undefined {
  if (trailers === undefined) return undefined;
  const edited = new Set([
    ...(edits?.remove ?? []),
    ...(edits?.set ?? []).map(([name]) => name.toLowerCase()),
  ]);
  const kept = keepFields(trailers, index => {
    const name = trailers.name(index);
    return isPassed(kindOf(trailers, index)) && !neverTrailers.has(name) && !edited.has(name);
  });
  return kept.count === 0 ? undefined : kept;
}
