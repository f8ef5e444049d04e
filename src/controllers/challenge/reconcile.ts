import { type Challenge, challenges } from '../../api/acme/challenge.ts';
import { type Order, orders } from '../../api/acme/order.ts';
import { controllerOf, type ObjectKey } from '../../api/meta.ts';
import { deleteIfThere } from '../../issuers/idempotent-writes.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import type { ControllerContext } from '../context.ts';
import { progressGraceMs } from '../patience.ts';
import { cleanUp, cleanUpGone } from './clean-up.ts';
import { type ChallengeDecision, decideChallenge } from './decide.ts';
import { finishProved, solve } from './solve.ts';
import { type ChallengeTools, endChallenge, tellWait } from './tools.ts';

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
  const decision = await decide(tools.context, challenge);
  switch (decision.kind) {
    case 'clean-up':
      await cleanUp(tools, challenge);
      return {};
    case 'remove':
      await cleanUp(tools, challenge);
      await deleteIfThere(tools.context.api, challenges, challenge);
      return {};
    case 'refuse':
      return endChallenge(tools, challenge, 'errored', decision.reason);
    case 'solve':
      if (tools.proofs.has(challenge)) return finishProved(tools, challenge);
      if (tools.turns.take(challenge)) return solve(tools, challenge, signal);
      return tellWait(
        tools,
        challenge,
        { processing: false, reason: 'Waiting for its turn.' },
        { graceMs: progressGraceMs },
      );
  }
}

/**
 * Decides by the cache; what is not to be solved, by the API itself: the cache of Orders may be behind that of
 * Challenges, and what is refused is refused for good.
 */
async function decide(context: ControllerContext, challenge: Challenge): Promise<ChallengeDecision> {
  const owner = controllerOf(challenge);
  const key = { namespace: challenge.metadata.namespace ?? '', name: owner?.name ?? '' };
  const decision = decideChallenge(challenge, context.caches.cacheOf(orders).get(key));
  if (decision.kind === 'solve' || decision.kind === 'clean-up' || owner?.kind !== orders.kind)
    return decision;
  return decideChallenge(challenge, await live(context, key));
}

async function live({ api }: ControllerContext, key: ObjectKey): Promise<Order | undefined> {
  try {
    return await api.get(orders, key);
  } catch (error) {
    if (!isKubeError(error, 'KUBE_NOT_FOUND')) throw error;
    return undefined;
  }
}
