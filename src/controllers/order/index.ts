import { challenges } from '../../api/acme/challenge.ts';
import { orders } from '../../api/acme/order.ts';
import { clusterIssuers, type Issuer, issuers } from '../../api/cert-manager/issuer.ts';
import { controllerOf, keyOf } from '../../api/meta.ts';
import type { ControllerSpec } from '../../runtime/controller.ts';
import type { ControllerContext } from '../context.ts';
import { isFinal } from './decide.ts';
import { byOrder } from './index-names.ts';
import { type OrderOptions, reconcileOrder } from './reconcile.ts';

/** Orders are carried through at their ACME server. */
export function orderController(context: ControllerContext, options: OrderOptions): ControllerSpec {
  const orderCache = context.caches.cacheOf(orders);
  const challengeCache = context.caches.cacheOf(challenges);
  challengeCache.addIndex(byOrder, challenge => [controllerOf(challenge)?.uid ?? '']);
  return {
    name: 'orders',
    // Each waits on the ACME server most of the time.
    concurrency: 32,
    watch(enqueue) {
      orderCache.onChange(({ after }) => {
        if (after) enqueue(keyOf(after));
      });
      challengeCache.onChange(({ before, after }) => {
        const challenge = after ?? before;
        const owner = challenge && controllerOf(challenge);
        if (owner?.kind === orders.kind)
          enqueue({ namespace: challenge?.metadata.namespace ?? '', name: owner.name });
      });
      // An issuer that is there again, or ready again, brings back the orders that wait for it.
      const issuerChanged = (issuer: Issuer | undefined): void => {
        if (issuer === undefined) return;
        for (const order of orderCache.list(issuer.metadata.namespace)) {
          if (order.spec.issuerRef.name === issuer.metadata.name && !isFinal(order.status?.state))
            enqueue(keyOf(order));
        }
      };
      context.caches.cacheOf(issuers).onChange(({ after }) => issuerChanged(after));
      context.caches.cacheOf(clusterIssuers).onChange(({ after }) => issuerChanged(after));
    },
    reconcile: (key, signal) => reconcileOrder(context, options, key, signal),
  };
}
