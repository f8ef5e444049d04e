import { type Challenge, challenges } from '../../api/acme/challenge.ts';
import { orders } from '../../api/acme/order.ts';
import { certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import { controllerOf, keyOf } from '../../api/meta.ts';
import type { AcmeAccounts } from '../../issuers/acme/accounts.ts';
import { isControlledBy } from '../../issuers/owned-by.ts';
import type { ControllerSpec } from '../../runtime/controller.ts';
import { isApproved } from '../approved.ts';
import type { ControllerContext } from '../context.ts';
import { createHolds } from '../holds.ts';
import { addIssuerIndex, watchIssuers } from '../issuer-watch.ts';
import { createPatience } from '../patience.ts';
import { createPollPacer } from '../poll-pacer.ts';
import { isComplete, isFinal } from './decide.ts';
import { byOrder } from './index-names.ts';
import { reconcileOrder } from './reconcile.ts';
import type { OrderTools } from './work.ts';

/** The index of Orders by the uid of what controls them. */
const byController = 'controller';

/** Orders are carried through at their ACME server. */
export function orderController(
  context: ControllerContext,
  accounts: AcmeAccounts,
  { proofs, names, madeHere, approves }: Pick<OrderTools, 'proofs' | 'names' | 'madeHere' | 'approves'>,
): ControllerSpec {
  const orderCache = context.caches.cacheOf(orders);
  const challengeCache = context.caches.cacheOf(challenges);
  addIssuerIndex(orderCache);
  orderCache.addIndex(byController, order => [controllerOf(order)?.uid ?? '']);
  challengeCache.addIndex(byOrder, challenge => [controllerOf(challenge)?.uid ?? '']);
  const tools = {
    context,
    accounts,
    holds: createHolds(context.clock),
    pacer: createPollPacer(context.clock),
    patience: createPatience(context.clock),
    proofs,
    names,
    madeHere,
    approves,
    unstored: new Map(),
  };
  return {
    name: 'orders',
    // Each waits on the ACME server most of the time.
    concurrency: 32,
    watch(enqueue) {
      orderCache.onChange(({ before, after }) => {
        const order = after ?? before;
        if (order) enqueue(keyOf(order));
      });
      const enqueueOwner = (challenge: Challenge, first = false): void => {
        const owner = controllerOf(challenge);
        if (owner?.kind === orders.kind)
          enqueue({ namespace: challenge.metadata.namespace ?? '', name: owner.name }, first);
      };
      const isCompleteOrder = (challenge: Challenge): boolean => {
        const { namespace = '' } = challenge.metadata;
        const order = orderCache.get({ namespace, name: controllerOf(challenge)?.name ?? '' });
        return order !== undefined && isComplete(order);
      };
      challengeCache.onChange(({ before, after }) => {
        if (after !== undefined) enqueueOwner(after);
        // Once it is over an Order does no more than to have its Challenges deleted. One that is gone leaves nothing to do.
        else if (before !== undefined && !isCompleteOrder(before)) enqueueOwner(before);
      });
      // All is proved, as a rule: what is left is quickly done, while others have not begun.
      proofs.onProof(challenge => enqueueOwner(challenge, true));
      // One that was there before its request was approved has waited for that; one whose request is gone goes too.
      context.caches.cacheOf(certificateRequests).onChange(({ before, after }) => {
        if (before === undefined) return;
        const isThere = after !== undefined && after.metadata.uid === before.metadata.uid;
        if (isThere && (isApproved(before, approves) || !isApproved(after, approves))) return;
        for (const order of orderCache.byIndex(byController, before.metadata.uid ?? ''))
          if (isControlledBy(order, before)) enqueue(keyOf(order));
      });
      names.onSettled(enqueue);
      watchIssuers(context.caches, orderCache, order => !isFinal(order.status?.state), enqueue);
    },
    reconcile: (key, signal) => reconcileOrder(tools, key, signal),
  };
}
