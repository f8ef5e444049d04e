import type { Challenge } from '../../api/acme/challenge.ts';
import type { AcmeAuthorization, AcmeState, Order } from '../../api/acme/order.ts';

/*
 *   new --newOrder--> pending --every authorization valid--> finalize --> processing --> valid
 *                        |                                                   |
 *                        +--a challenge fails--> invalid, expired, errored <-+
 */

/** The next step for one Order. */
export type OrderDecision =
  | { readonly kind: 'ignore' }
  /** It is final; its Challenges have done their work. */
  | { readonly kind: 'clean-up'; readonly challenges: readonly Challenge[] }
  /** Nothing is ordered yet. */
  | { readonly kind: 'order' }
  /** The URL is known, and what has to be proved is not. */
  | { readonly kind: 'read-authorizations' }
  /** These authorizations need a Challenge each. */
  | { readonly kind: 'challenge'; readonly authorizations: readonly AcmeAuthorization[] }
  | { readonly kind: 'wait' }
  /** A challenge was lost, and the order with it. */
  | { readonly kind: 'fail'; readonly state: AcmeState; readonly reason: string }
  /** All is proved. */
  | { readonly kind: 'finalize' };

const finalStates: ReadonlySet<AcmeState | undefined> = new Set(['valid', 'invalid', 'expired', 'errored']);
const failedStates: ReadonlySet<AcmeState | undefined> = new Set(['invalid', 'expired', 'errored']);

/** Whether nothing more can come of an order or a challenge in this state. */
export function isFinal(state: AcmeState | undefined): boolean {
  return finalStates.has(state);
}

/** Decides the next step. `challenges` are those that the Order owns. */
export function decideOrder(order: Order, challenges: readonly Challenge[]): OrderDecision {
  if (order.metadata.deletionTimestamp !== undefined) return { kind: 'ignore' };
  const { state, url, certificate, authorizations } = order.status ?? {};
  if (failedStates.has(state) || (state === 'valid' && certificate !== undefined)) {
    const left = challenges.filter(challenge => challenge.metadata.deletionTimestamp === undefined);
    return left.length === 0 ? { kind: 'ignore' } : { kind: 'clean-up', challenges: left };
  }
  if (url === undefined) return { kind: 'order' };
  if (authorizations === undefined || authorizations.some(one => one.initialState === undefined)) {
    return { kind: 'read-authorizations' };
  }

  const failed = challenges.find(challenge => failedStates.has(challenge.status?.state));
  if (failed !== undefined) {
    const { dnsName, type } = failed.spec;
    const { state: failedState = 'invalid', reason = 'no reason was given' } = failed.status ?? {};
    return {
      kind: 'fail',
      state: failedState,
      reason: `The ${type} challenge for ${dnsName} is ${failedState}: ${reason}`,
    };
  }
  const open = authorizations.filter(({ initialState }) => initialState !== 'valid');
  const missing = open.filter(
    ({ url }) => !challenges.some(challenge => challenge.spec.authorizationURL === url),
  );
  if (missing.length > 0) return { kind: 'challenge', authorizations: missing };
  const proved = challenges.filter(challenge => challenge.status?.state === 'valid');
  return proved.length < open.length ? { kind: 'wait' } : { kind: 'finalize' };
}
