import { isDeepStrictEqual } from 'node:util';
import type { Challenge } from '../../api/acme/challenge.ts';
import type { AcmeAuthorization, AcmeState, Order } from '../../api/acme/order.ts';
import { type CertificateRequest, certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import { sameIssuer } from '../../api/cert-manager/issuer-ref.ts';
import { controllerOf } from '../../api/meta.ts';
import { selfCheckFails } from '../../api/reasons.ts';
import { isControlledBy } from '../../issuers/owned-by.ts';
import { ended, quoted } from '../../issuers/sentence.ts';
import { parseCsr } from '../../pki/csr.ts';
import { isApproved } from '../approved.ts';
import { hasStartedOver, mayStartOver, orderIsLost } from './lost-order.ts';

/*
 *   new --newOrder--> pending --every authorization valid--> finalize --> processing --> valid
 *    ^                   |                                                   |
 *    |                   +--a challenge fails--> invalid, expired, errored <-+
 *    +--lost, once, through no fault of its names--(any of them)
 */

/** The next step for one Order. */
export type OrderDecision =
  /** There is nothing to do, or its CertificateRequest is denied or not approved yet. */
  | { readonly kind: 'ignore' }
  /**
   * Its CertificateRequest is gone, and it goes too: the garbage collector may take another one of the same name for it, and
   * leave the Order and its Challenges for good.
   */
  | { readonly kind: 'remove' }
  /** It is final, or another order has taken the place of one that was lost: these Challenges have done their work. */
  | { readonly kind: 'clean-up'; readonly challenges: readonly Challenge[] }
  /** Nothing is ordered yet. */
  | { readonly kind: 'order' }
  /** The URL is known, and what has to be proved is not. */
  | { readonly kind: 'read-authorizations' }
  /** These authorizations need a Challenge each. */
  | { readonly kind: 'challenge'; readonly authorizations: readonly AcmeAuthorization[] }
  /** The proof is under way; `reason` is what keeps it, where that is known. */
  | { readonly kind: 'wait'; readonly reason?: string }
  /** A challenge was lost, and the order with it; or it is not of our making. */
  | { readonly kind: 'fail'; readonly state: AcmeState; readonly reason: string }
  /** The order at the server is lost, and no name is to blame: another is made. */
  | { readonly kind: 'start-over'; readonly reason: string }
  /** All is proved. */
  | { readonly kind: 'finalize' };

const failedStates: ReadonlySet<AcmeState | undefined> = new Set(['invalid', 'expired', 'errored']);

/** Whether nothing more can come of an order or a challenge in this state. */
export function isFinal(state: AcmeState | undefined): boolean {
  return state === 'valid' || failedStates.has(state);
}

/** Whether an Order is over: it has failed, or its certificate is there. */
export function isComplete({ status }: Order): boolean {
  return failedStates.has(status?.state) || (status?.state === 'valid' && status.certificate !== undefined);
}

/**
 * Decides the next step. `request` is the one that the Order names as its controller, `challenges` are those that
 * the Order controls. `approves`: requests are approved here (see `RequestOptions`).
 */
export function decideOrder(
  order: Order,
  request: CertificateRequest | undefined,
  challenges: readonly Challenge[],
  approves: boolean,
): OrderDecision {
  if (order.metadata.deletionTimestamp !== undefined) return { kind: 'ignore' };
  const { state, url, authorizations } = order.status ?? {};
  const left = challenges.filter(challenge => challenge.metadata.deletionTimestamp === undefined);
  if (isComplete(order)) {
    return left.length === 0 ? { kind: 'ignore' } : { kind: 'clean-up', challenges: left };
  }
  const foreign = foreignProblem(order, request);
  if (foreign !== undefined) return { kind: 'fail', state: 'errored', reason: foreign };
  if (request === undefined || !isControlledBy(order, request)) return { kind: 'remove' };
  if (!isApproved(request, approves)) return { kind: 'ignore' };

  const isCurrent = ({ spec }: Challenge): boolean =>
    authorizations?.some(authorization => authorization.url === spec.authorizationURL) === true;
  const stale = hasStartedOver(order) ? left.filter(challenge => !isCurrent(challenge)) : [];
  if (stale.length > 0) return { kind: 'clean-up', challenges: stale };
  if (url === undefined) return { kind: 'order' };
  if (authorizations === undefined || authorizations.some(one => one.initialState === undefined)) {
    return { kind: 'read-authorizations' };
  }
  // Of another program: all was proved at the server, and the Challenges may have gone since.
  if (state === 'ready' || state === 'processing' || state === 'valid') return { kind: 'finalize' };
  const failed = left.find(challenge => failedStates.has(challenge.status?.state));
  if (failed !== undefined) return lostBy(order, failed);
  const open = authorizations.filter(({ initialState }) => initialState !== 'valid');
  const challengesOf = ({ url }: AcmeAuthorization): readonly Challenge[] =>
    left.filter(challenge => challenge.spec.authorizationURL === url);
  const missing = open.filter(authorization => challengesOf(authorization).length === 0);
  if (missing.length > 0) return { kind: 'challenge', authorizations: missing };
  const isProved = (authorization: AcmeAuthorization): boolean =>
    challengesOf(authorization).some(challenge => challenge.status?.state === 'valid');
  return open.every(isProved) ? { kind: 'finalize' } : waitFor(left);
}

/** What a Challenge that has failed means for its Order. */
function lostBy(order: Order, { spec, status }: Challenge): OrderDecision {
  const { state = 'invalid', reason = 'no reason was given' } = status ?? {};
  const said = `The ${spec.type} challenge for ${spec.dnsName} is ${state}: ${ended(reason)}`;
  return reason.startsWith(orderIsLost) && mayStartOver(order)
    ? { kind: 'start-over', reason: said }
    : { kind: 'fail', state, reason: said };
}

/** How the reason of an Order begins that waits for a Challenge. */
const challengeWaits = 'The HTTP-01 challenge for ';

function waitFor(challenges: readonly Challenge[]): OrderDecision {
  const kept = challenges
    .filter(({ status }) => status?.state !== 'valid' && status?.reason?.startsWith(selfCheckFails))
    .map(({ spec, status }) => `${challengeWaits}${spec.dnsName} waits: ${ended(status?.reason ?? '')}`)
    .toSorted();
  return { kind: 'wait', ...(kept[0] !== undefined && { reason: kept[0] }) };
}

/** Whether the reason of an Order is that of a Challenge: what holds while the Challenge says so. */
export function isOfChallenge(reason: string | undefined): boolean {
  return reason?.startsWith(challengeWaits) === true;
}

/**
 * An Order is carried through only where it asks for what its CertificateRequest asks for. One that somebody wrote
 * by hand could otherwise have names ordered in the account's name that nobody has approved.
 */
function foreignProblem(order: Order, request: CertificateRequest | undefined): string | undefined {
  const owner = controllerOf(order);
  if (owner?.kind !== certificateRequests.kind) {
    return 'No CertificateRequest controls this Order; delete it: Orders are made by Postern alone.';
  }
  if (request === undefined || request.metadata.uid !== owner.uid) return undefined;
  const isSame =
    order.spec.request === request.spec.request && sameIssuer(order.spec.issuerRef, request.spec.issuerRef);
  // Once it is ordered, its names are those of the order at the server, and cost nothing to look at again.
  const fits = isSame && (order.status?.url !== undefined || namesFit(order));
  return fits
    ? undefined
    : `CertificateRequest ${quoted(owner.name)} does not ask for what this Order asks for; delete the Order.`;
}

function namesFit({ spec }: Order): boolean {
  try {
    const csr = parseCsr(Buffer.from(spec.request, 'base64').toString());
    return (
      isDeepStrictEqual(new Set(spec.dnsNames), new Set(csr.dnsNames)) &&
      isDeepStrictEqual(new Set(spec.ipAddresses), new Set(csr.ipAddresses))
    );
  } catch {
    return false;
  }
}
