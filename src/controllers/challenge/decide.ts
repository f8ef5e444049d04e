import type { Challenge } from '../../api/acme/challenge.ts';
import { type Order, orders } from '../../api/acme/order.ts';
import { type CertificateRequest, certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import type { Issuer } from '../../api/cert-manager/issuer.ts';
import { sameIssuer } from '../../api/cert-manager/issuer-ref.ts';
import { controllerOf } from '../../api/meta.ts';
import { quoted } from '../../issuers/sentence.ts';
import { parseCsr } from '../../pki/csr.ts';
import { canonicalHost } from '../../solvers/http01/challenge-host.ts';
import { isApproved } from '../approved.ts';
import { isFinal } from '../order/decide.ts';
import { isSolverOfIssuer } from './solver-of-issuer.ts';

/*
 *   new --its turn--> presented --self-check passes--> accepted --> valid
 *                         |                                \-----> invalid, errored
 *   any of them --final or deleted--> cleaned up
 *   any of them --its Order gone--> cleaned up and deleted
 *   new, presented --its solver not the issuer's (any more)--> cleaned up and deleted; the Order makes another
 */

/** The next step for one Challenge. */
export type ChallengeDecision =
  /** It is over, or its Order is: the solver's traces go, and the finalizer with them. */
  | { readonly kind: 'clean-up' }
  /** Its Order is gone, and it goes too: the garbage collector leaves it where cert-manager gave it a second owner. */
  | { readonly kind: 'remove' }
  /** It is not of our making: nothing is served, fetched or asked for it. */
  | { readonly kind: 'refuse'; readonly reason: string }
  /** It is to be solved in a way that its issuer does not give: it goes, and the Order makes it as it is to be. */
  | { readonly kind: 'replace'; readonly reason: string }
  | { readonly kind: 'solve' };

/** What a Challenge rests on. */
export interface ChallengeGrounds {
  /** The Order that the Challenge names as its controller. */
  readonly order: Order | undefined;
  /** The CertificateRequest that the Order names as its controller. */
  readonly request: CertificateRequest | undefined;
  /** The issuer of both. */
  readonly issuer: Issuer | undefined;
  /** Whether requests are approved here: see `RequestOptions`. */
  readonly approves: boolean;
  /** Whether this process has told the ACME server that it may look for the answer. */
  readonly isAccepted: boolean;
}

/**
 * Decides the next step. Nothing in a Challenge, or in the status of its Order, is taken at its author's word: who may write
 * them has nothing proved, served or fetched that an approved CertificateRequest does not ask for, in no other way than its
 * issuer gives (GHSA-8rvj-mm4h-c258).
 */
export function decideChallenge(challenge: Challenge, grounds: ChallengeGrounds): ChallengeDecision {
  const { order, request, issuer } = grounds;
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
  if (type !== 'HTTP-01' || solver.http01?.ingress === undefined) {
    return {
      kind: 'refuse',
      reason:
        'Its solver is not http01.ingress, and Postern solves no other; change the solver of the issuer.',
    };
  }
  const asker = controllerOf(order);
  if (asker?.kind !== certificateRequests.kind) {
    return {
      kind: 'refuse',
      reason: `No CertificateRequest controls Order ${quoted(owner.name)}; delete it: Orders are made by Postern alone.`,
    };
  }
  // It goes after its request, or waits with its Order; nothing is served for it.
  if (request === undefined || request.metadata.uid !== asker.uid) return { kind: 'clean-up' };
  if (!isApproved(request, grounds.approves)) return { kind: 'clean-up' };
  if (!asksFor(request, challenge)) {
    return {
      kind: 'refuse',
      reason: `CertificateRequest ${quoted(asker.name)} does not ask for ${quoted(challenge.spec.dnsName)} by the issuer of this Challenge; delete the Challenge and its Order.`,
    };
  }
  // While there is no issuer nothing is done. What the server looks at already stays as it is.
  const isKnown = issuer === undefined || grounds.isAccepted || isSolverOfIssuer(challenge, issuer, request);
  return isKnown
    ? { kind: 'solve' }
    : {
        kind: 'replace',
        reason: 'The solver in spec.solver is not one that the issuer gives now; the Challenge is made anew.',
      };
}

/** Whether the CSR of a request names what a Challenge is to prove, to be certified by the same issuer. */
function asksFor(request: CertificateRequest, { spec }: Challenge): boolean {
  if (!sameIssuer(spec.issuerRef, request.spec.issuerRef)) return false;
  const host = canonicalHost(spec.dnsName);
  try {
    const { dnsNames, ipAddresses } = parseCsr(Buffer.from(request.spec.request, 'base64').toString());
    return host !== undefined && [...dnsNames, ...ipAddresses].some(name => canonicalHost(name) === host);
  } catch {
    return false;
  }
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
