import type { Challenge } from '../../api/acme/challenge.ts';
import { type Order, orders } from '../../api/acme/order.ts';
import { controllerOf } from '../../api/meta.ts';
import { quoted } from '../../issuers/sentence.ts';
import { isFinal } from '../order/decide.ts';

/*
 *   new --its turn--> presented --self-check passes--> accepted --> valid
 *                         |                                \-----> invalid, errored
 *   any of them --final or deleted--> cleaned up
 *   any of them --its Order gone--> cleaned up and deleted
 */

/** The next step for one Challenge. */
export type ChallengeDecision =
  /** It is over, or its Order is: the solver's traces go, and the finalizer with them. */
  | { readonly kind: 'clean-up' }
  /** Its Order is gone, and it goes too: the garbage collector leaves it where cert-manager gave it a second owner. */
  | { readonly kind: 'remove' }
  /** It is not of our making: nothing is served, fetched or asked for it. */
  | { readonly kind: 'refuse'; readonly reason: string }
  | { readonly kind: 'solve' };

/** Decides the next step. `order` is the one that the Challenge names as its controller. */
export function decideChallenge(challenge: Challenge, order: Order | undefined): ChallengeDecision {
  if (challenge.metadata.deletionTimestamp !== undefined) return { kind: 'clean-up' };
  const owner = controllerOf(challenge);
  const isOrders = owner?.kind === orders.kind;
  if (isOrders && order?.metadata.uid !== owner.uid) return { kind: 'remove' };
  if (isOver(challenge)) return { kind: 'clean-up' };
  if (!isOrders || order === undefined) {
    return {
      kind: 'refuse',
      reason: 'No Order controls this Challenge; delete it: Challenges are made by Postern alone.',
    };
  }
  if (!isAskedFor(challenge, order)) {
    return {
      kind: 'refuse',
      reason: `Order ${quoted(owner.name)} has not asked for this Challenge; delete it.`,
    };
  }
  // Nothing is proved for an Order that is over, one that was made by hand among them.
  if (isFinal(order.status?.state)) return { kind: 'clean-up' };
  // Made by cert-manager, for a solver that Postern has not.
  const { type, solver } = challenge.spec;
  return type === 'HTTP-01' && solver.http01?.ingress !== undefined
    ? { kind: 'solve' }
    : {
        kind: 'refuse',
        reason:
          'Its solver is not http01.ingress, and Postern solves no other; change the solver of the issuer.',
      };
}

/** Whether nothing more can come of a Challenge, whatever its Order says. */
export function isOver({ metadata, status }: Challenge): boolean {
  return metadata.deletionTimestamp !== undefined || isFinal(status?.state);
}

/**
 * A Challenge is solved only where its Order at the ACME server has asked for just this. One that somebody
 * wrote by hand could otherwise have Postern serve, or fetch, what its author likes (GHSA-8rvj-mm4h-c258).
 */
function isAskedFor({ spec }: Challenge, order: Order): boolean {
  const authorization = order.status?.authorizations?.find(one => one.url === spec.authorizationURL);
  return (
    authorization?.identifier === spec.dnsName &&
    authorization.challenges?.some(offered => offered.url === spec.url && offered.token === spec.token) ===
      true
  );
}
