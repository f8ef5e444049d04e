import { type Challenge, challenges } from '../../api/acme/challenge.ts';
import type { AcmeAuthorization } from '../../api/acme/order.ts';
import { ingressClasses } from '../../api/kubernetes/ingress-class.ts';
import { keyOf, keyText } from '../../api/meta.ts';
import { quoted } from '../../issuers/sentence.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import { challengeFor } from './challenge-for.ts';
import { endOrder, type OrderWork } from './work.ts';

/** Makes the Challenges by which authorizations are to be proved; none where one of them cannot be. */
export async function makeChallenges(
  work: OrderWork,
  authorizations: readonly AcmeAuthorization[],
): Promise<ReconcileResult> {
  const { context, order, request, issuer, connection } = work;
  const classes = context.caches.cacheOf(ingressClasses);
  const isIngressClass = (name: string): boolean => classes.get({ namespace: '', name }) !== undefined;
  const choices = authorizations.map(authorization =>
    authorization.initialState === 'invalid'
      ? { problem: `The authorization for ${quoted(authorization.identifier)} is no longer open.` }
      : challengeFor(
          order,
          request.metadata,
          authorization,
          issuer.spec.acme?.solvers ?? [],
          connection,
          isIngressClass,
        ),
  );
  const problems = choices.flatMap(choice => ('problem' in choice ? [choice.problem] : []));
  if (problems.length > 0) return endOrder(context, order, 'errored', problems.join(' '));
  for (const choice of choices) {
    if ('challenge' in choice) await create(work, choice.challenge);
  }
  return {};
}

/** Known as made here before it is seen; one that was there already is another process's. */
async function create({ context, madeHere }: OrderWork, challenge: Challenge): Promise<void> {
  const id = keyText(keyOf(challenge));
  madeHere.add(id);
  try {
    await context.api.create(challenges, challenge);
  } catch (error) {
    madeHere.delete(id);
    if (!isKubeError(error, 'KUBE_ALREADY_EXISTS')) throw error;
    // In the caches then, so that it is not tried again at once.
    await context.api.get(challenges, keyOf(challenge));
  }
}
