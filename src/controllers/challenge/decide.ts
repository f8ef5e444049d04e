import type { Challenge } from '../../api/acme/challenge.ts';
import type { Order } from '../../api/acme/order.ts';
import { controllerOf } from '../../api/meta.ts';
import { isFinal } from '../order/decide.ts';

/*
 *   new --its turn--> presented --self-check passes--> accepted --> valid
 *                         |                                \-----> invalid, errored
 *   any of them --final, or deleted--> cleaned up
 */

/** The next step for one Challenge. */
export type ChallengeDecision =
  /** It is over: the solver's traces go, and the finalizer with them. */
  | { readonly kind: 'clean-up' }
  /** It is not of our making: nothing is served, fetched or asked for it. */
  | { readonly kind: 'refuse'; readonly reason: string }
  /** Another one for the same name is being solved, or too many are. */
  | { readonly kind: 'queue' }
  | { readonly kind: 'solve' };

/** Decides the next step. `order` is the one that the Challenge names as its controller. */
export function decideChallenge(
  challenge: Challenge,
  order: Order | undefined,
  hasTurn: boolean,
): ChallengeDecision {
  if (challenge.metadata.deletionTimestamp !== undefined || isFinal(challenge.status?.state))
    return { kind: 'clean-up' };
  const problem = foreignProblem(challenge, order);
  if (problem !== undefined) return { kind: 'refuse', reason: problem };
  return hasTurn ? { kind: 'solve' } : { kind: 'queue' };
}

/**
 * A Challenge is solved only where its Order at the ACME server has asked for just this. One that somebody
 * wrote by hand could otherwise have Postern serve, or fetch, what its author likes (GHSA-8rvj-mm4h-c258).
 */
function foreignProblem(challenge: Challenge, order: Order | undefined): string | undefined {
  const owner = controllerOf(challenge);
  if (owner === undefined || order === undefined || order.metadata.uid !== owner.uid) {
    return 'No Order controls this Challenge. Challenges are made by Postern alone, from Orders; delete this one.';
  }
  const { authorizationURL, url, token, dnsName } = challenge.spec;
  const authorization = order.status?.authorizations?.find(one => one.url === authorizationURL);
  const isAskedFor =
    authorization?.identifier === dnsName &&
    authorization.challenges?.some(offered => offered.url === url && offered.token === token) === true;
  return isAskedFor
    ? undefined
    : `Order ${JSON.stringify(owner.name)} has not asked for this Challenge; delete it.`;
}
