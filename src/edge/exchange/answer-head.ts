import type { Endpoint } from '../compile/table.ts';
import { cookieAfterFailure } from '../policy/affinity.ts';
import type { AnswerDecision, ForwardDecision } from '../policy/decision.ts';
import { responseEditsOf } from '../policy/external-auth.ts';
import { edits, mergeEdits } from '../policy/header-edits.ts';
import type { CheckedHead } from '../policy/request-head.ts';
import type { HeaderEdits } from '../policy/route-policy.ts';
import { editFields } from './edit-fields.ts';
import type { AnswerHead } from './ports.ts';

/**
 * The head of an upstream's answer as the client gets it. `movedTo`: the endpoint that answered, where it is not the one that
 * was chosen first; undefined otherwise.
 */
export function answerHead(
  decision: ForwardDecision,
  request: CheckedHead,
  head: AnswerHead,
  movedTo: Endpoint | undefined,
): AnswerHead {
  const headerEdits = responseEditsOf(decision, head.status);
  return edited(
    head,
    movedTo === undefined ? headerEdits : mergeEdits(headerEdits, newCookie(decision, request, movedTo)),
  );
}

/** The head of a change of protocols, with the cookie of affinity and the rest. */
export function upgradeHead(
  decision: ForwardDecision | AnswerDecision | undefined,
  head: AnswerHead,
): AnswerHead {
  return decision?.kind === 'forward' ? edited(head, decision.responseEdits) : head;
}

function edited(head: AnswerHead, headerEdits: HeaderEdits | undefined): AnswerHead {
  const fields = editFields(head.fields, headerEdits);
  if (fields === head.fields) return head;
  const { status, statusText, framing } = head;
  return { status, statusText, fields, framing };
}

/** The cookie of affinity names the endpoint that answered in the end. */
function newCookie(
  { policy, backend, route }: ForwardDecision,
  request: CheckedHead,
  answered: Endpoint,
): HeaderEdits | undefined {
  if (policy.affinity === undefined || backend.kind !== 'endpoints') return undefined;
  const value = cookieAfterFailure(
    policy.affinity,
    request,
    backend.endpoints,
    answered,
    backend.key,
    route.path,
  );
  return value === undefined ? undefined : edits({ add: [['Set-Cookie', value]] });
}
