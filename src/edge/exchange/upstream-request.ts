import type { ForwardDecision } from '../policy/decision.ts';
import type { CheckedHead } from '../policy/request-head.ts';
import type { ForwardParts } from './forward-parts.ts';
import { JoinedFields } from './joined-fields.ts';
import { OneField } from './one-field.ts';
import type { BodyFraming, UpstreamRequest } from './ports.ts';
import { nextRequestId } from './request-id.ts';
import { upstreamFields } from './upstream-fields.ts';

const noBody: BodyFraming = Object.freeze({ kind: 'none' });
const openBody: BodyFraming = Object.freeze({ kind: 'open' });

/** The request to the upstream for one that is forwarded, and its id: the one that the client brought, or a new one. */
export function requestFor(
  { context, policy }: Pick<ForwardParts, 'context' | 'policy'>,
  decision: ForwardDecision,
  head: CheckedHead,
): [request: UpstreamRequest, id: string] {
  let fields = upstreamFields(head, decision.requestEdits, context.trusted, policy.forwardedHeader);
  // What Connection lists is not passed on: a client takes its own id away by that, and not the upstream's.
  let id = head.connectionTokens.includes('x-request-id') ? undefined : head.fields.first('x-request-id');
  if (id === undefined) {
    id = nextRequestId();
    fields = new JoinedFields(fields, new OneField('X-Request-ID', id));
  }
  const request: UpstreamRequest = {
    method: head.method,
    authority: decision.host,
    scheme: decision.backend.tls === undefined ? 'http' : 'https',
    target: decision.target,
    fields,
    framing: framingOf(head),
    upgrade: decision.policy.allowUpgrade ? head.upgrade : undefined,
    trailersWanted: head.fields.first('te') !== undefined,
  };
  return [request, id];
}

function framingOf({ body, contentLength }: CheckedHead): BodyFraming {
  if (body === 'none') return noBody;
  return body === 'length' ? { kind: 'length', length: contentLength } : openBody;
}
