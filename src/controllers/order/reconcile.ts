import { type Challenge, challenges } from '../../api/acme/challenge.ts';
import { type Order, orders } from '../../api/acme/order.ts';
import { type CertificateRequest, certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import { controllerOf, keyOf, keyText, type ObjectKey } from '../../api/meta.ts';
import { deleteIfThere } from '../../issuers/idempotent-writes.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import { acmeStep } from '../acme-step.ts';
import { tellingRefusedWrites } from '../refused-write.ts';
import { awaitNames } from './check-names.ts';
import { decideOrder, isFinal, isOfChallenge, type OrderDecision } from './decide.ts';
import { finalize } from './finalize.ts';
import { byOrder } from './index-names.ts';
import { losesOrder, mayStartOver, startOver } from './lost-order.ts';
import { makeChallenges } from './make-challenges.ts';
import { makeOrder, readAuthorizations } from './make-order.ts';
import { changeStatus, endOrder, type OrderTools, tellWait } from './work.ts';

/** Takes one Order a step forward. */
export async function reconcileOrder(
  tools: OrderTools,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { context } = tools;
  const order = context.caches.cacheOf(orders).get(key);
  if (order === undefined) {
    forget(tools, key);
    return {};
  }
  if (isFinal(order.status?.state)) forget(tools, key);
  const owned = context.caches.cacheOf(challenges).byIndex(byOrder, order.metadata.uid ?? '');
  const request = await requestOf(tools, order);
  const decision = decideOrder(order, request, asProved(tools, owned), tools.approves);
  switch (decision.kind) {
    case 'ignore':
      return {};
    case 'remove':
      await deleteIfThere(context.api, orders, order);
      return {};
    case 'wait':
      await tellChallenge(tools, order, decision.reason);
      return {};
    case 'clean-up':
      await removeAll(tools, decision.challenges);
      return {};
    case 'fail':
      return endOrder(context, order, decision.state, decision.reason);
    case 'start-over':
      await startOver(tools, order, decision.reason);
      return {};
    default:
      return request === undefined ? {} : askServer(tools, order, request, decision, signal);
  }
}

/** Challenges as their statuses would be by now. */
function asProved({ proofs }: OrderTools, owned: readonly Challenge[]): readonly Challenge[] {
  return owned.map(challenge =>
    proofs.has(challenge) ? { ...challenge, status: { ...challenge.status, state: 'valid' } } : challenge,
  );
}

/** The steps that need the ACME server. */
function askServer(
  tools: OrderTools,
  order: Order,
  request: CertificateRequest,
  decision: OrderDecision & { kind: 'order' | 'read-authorizations' | 'challenge' | 'finalize' },
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { context, accounts, holds } = tools;
  return acmeStep({
    context,
    accounts,
    issuerRef: order.spec.issuerRef,
    key: keyOf(order),
    holds,
    signal,
    wait: (reason, how) => tellWait(tools, order, reason, how),
    async end(reason, error) {
      if (!mayStartOver(order) || !losesOrder(error)) return endOrder(context, order, 'errored', reason);
      await startOver(tools, order, reason);
      return {};
    },
    async step(issuer, connection) {
      const work = { ...tools, order, request, issuer, connection, signal };
      switch (decision.kind) {
        case 'order':
          return (await awaitNames(work)) ?? makeOrder(work);
        case 'read-authorizations':
          return readAuthorizations(work);
        case 'challenge':
          return tellingRefusedWrites(
            () => makeChallenges(work, decision.authorizations),
            message => tellWait(tools, order, message),
          );
        case 'finalize':
          return finalize(work);
      }
    },
  });
}

/** Says in the status, and so in the condition of the CertificateRequest, which Challenge is in the way, and why. */
async function tellChallenge(
  { context }: OrderTools,
  order: Order,
  reason: string | undefined,
): Promise<void> {
  if (reason === undefined && !isOfChallenge(order.status?.reason)) return;
  await changeStatus(context, order, { reason });
}

/**
 * The CertificateRequest that an Order names as its controller. The API is asked where the cache has none: the cache
 * of one resource may be behind that of another, and what is refused is refused for good.
 */
async function requestOf({ context }: OrderTools, order: Order): Promise<CertificateRequest | undefined> {
  const owner = controllerOf(order);
  if (owner?.kind !== certificateRequests.kind) return undefined;
  const key = { namespace: order.metadata.namespace ?? '', name: owner.name };
  const cached = context.caches.cacheOf(certificateRequests).get(key);
  if (cached !== undefined && cached.metadata.uid === owner.uid) return cached;
  try {
    return await context.api.get(certificateRequests, key);
  } catch (error) {
    if (!isKubeError(error, 'KUBE_NOT_FOUND')) throw error;
    return undefined;
  }
}

async function removeAll({ context }: OrderTools, left: readonly Challenge[]): Promise<void> {
  for (const challenge of left) await deleteIfThere(context.api, challenges, challenge);
}

function forget({ holds, names, pacer, patience, unstored }: OrderTools, key: ObjectKey): void {
  holds.forget(key);
  names.forget(key);
  pacer.forget(key);
  patience.forget(key);
  unstored.delete(keyText(key));
}
