import { type Challenge, challenges } from '../../api/acme/challenge.ts';
import { type Order, orders } from '../../api/acme/order.ts';
import { type CertificateRequest, certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import { controllerOf, type KubeObject, keyOf, keyText, type ObjectKey } from '../../api/meta.ts';
import { acmeEvents } from '../../api/reasons.ts';
import type { Resource } from '../../api/resource.ts';
import { deleteIfThere } from '../../issuers/idempotent-writes.ts';
import { lookUpIssuer } from '../../issuers/lookup.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import type { ControllerContext } from '../context.ts';
import { cleanUp, cleanUpGone } from './clean-up.ts';
import { type ChallengeDecision, type ChallengeGrounds, decideChallenge, isOver } from './decide.ts';
import { finishProved, solve } from './solve.ts';
import { type ChallengeTools, endChallenge, tellTurn } from './tools.ts';

/** Takes one Challenge a step forward. */
export async function reconcileChallenge(
  tools: ChallengeTools,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const challenge = tools.context.caches.cacheOf(challenges).get(key);
  if (challenge === undefined) {
    await cleanUpGone(tools, key);
    return {};
  }
  const decision = await decide(tools, challenge);
  switch (decision.kind) {
    case 'clean-up':
      await cleanUp(tools, challenge);
      return {};
    case 'remove':
      await cleanUp(tools, challenge);
      await deleteIfThere(tools.context.api, challenges, challenge);
      return {};
    case 'replace':
      tools.context.events.warning(challenge, acmeEvents.solver, decision.reason);
      await cleanUp(tools, challenge);
      await deleteIfThere(tools.context.api, challenges, challenge);
      return {};
    case 'refuse':
      return endChallenge(tools, challenge, 'errored', decision.reason);
    case 'solve':
      if (tools.proofs.has(challenge)) return finishProved(tools, challenge);
      if (tools.turns.take(challenge)) return solve(tools, challenge, signal);
      return tellTurn(tools, challenge);
  }
}

/**
 * Decides by the caches; what is not to be solved, by the API itself: the cache of one resource may be behind that of
 * another, and what is refused is refused for good.
 */
async function decide(tools: ChallengeTools, challenge: Challenge): Promise<ChallengeDecision> {
  const { context } = tools;
  const order = await ownerIn(challenge, orders, key => context.caches.cacheOf(orders).get(key));
  const request =
    order &&
    (await ownerIn(order, certificateRequests, key => context.caches.cacheOf(certificateRequests).get(key)));
  const decision = decideChallenge(challenge, groundsOf(tools, challenge, order, request));
  if (decision.kind === 'solve' || challenge.metadata.deletionTimestamp !== undefined) return decision;
  if (decision.kind === 'clean-up' && isOver(challenge)) return decision;
  const liveOrder = await ownerIn(challenge, orders, key => live(context, orders, key));
  const liveRequest =
    liveOrder &&
    (await ownerIn(liveOrder, certificateRequests, key => live(context, certificateRequests, key)));
  return decideChallenge(challenge, groundsOf(tools, challenge, liveOrder, liveRequest));
}

function groundsOf(
  { context, approves, memory }: ChallengeTools,
  challenge: Challenge,
  order: Order | undefined,
  request: CertificateRequest | undefined,
): ChallengeGrounds {
  const { namespace = '', uid } = challenge.metadata;
  const known = memory.get(keyText(keyOf(challenge)));
  return {
    order,
    request,
    issuer: lookUpIssuer(context.caches, challenge.spec.issuerRef, namespace),
    approves,
    isAccepted: known?.accepted === true && known.target.challenge.metadata.uid === uid,
  };
}

/** What an object names as its controller, where that is of this kind; found by `find`. */
async function ownerIn<T extends KubeObject>(
  object: KubeObject,
  resource: Resource<T>,
  find: (key: ObjectKey) => T | undefined | Promise<T | undefined>,
): Promise<T | undefined> {
  const owner = controllerOf(object);
  if (owner?.kind !== resource.kind) return undefined;
  return find({ namespace: object.metadata.namespace ?? '', name: owner.name });
}

async function live<T extends KubeObject>(
  { api }: ControllerContext,
  resource: Resource<T>,
  key: ObjectKey,
): Promise<T | undefined> {
  try {
    return await api.get(resource, key);
  } catch (error) {
    if (!isKubeError(error, 'KUBE_NOT_FOUND')) throw error;
    return undefined;
  }
}
