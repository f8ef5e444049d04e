import { orders } from '../../api/acme/order.ts';
import { certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import { hasCondition } from '../../api/condition.ts';
import { controllerOf, keyOf } from '../../api/meta.ts';
import { conditionTypes } from '../../api/reasons.ts';
import type { ControllerSpec } from '../../runtime/controller.ts';
import type { ControllerContext } from '../context.ts';
import { addIssuerIndex, watchIssuers } from '../issuer-watch.ts';
import { createPatience } from '../patience.ts';
import { type RequestOptions, reconcileRequest } from './reconcile.ts';

/** CertificateRequests become signed certificates, by the issuer that each names. */
export function certificateRequestController(
  context: ControllerContext,
  options: RequestOptions,
): ControllerSpec {
  const { caches } = context;
  const requests = caches.cacheOf(certificateRequests);
  addIssuerIndex(requests);
  const work = { context, options, patience: createPatience(context.clock) };
  return {
    name: 'certificaterequests',
    watch(enqueue) {
      requests.onChange(({ before, after }) => {
        const request = after ?? before;
        if (request) enqueue(keyOf(request));
      });
      caches.cacheOf(orders).onChange(({ before, after }) => {
        const order = after ?? before;
        const owner = order && controllerOf(order);
        if (owner?.kind === certificateRequests.kind) {
          const first = order?.status?.state === 'valid';
          enqueue({ namespace: order?.metadata.namespace ?? '', name: owner.name }, first);
        }
      });
      watchIssuers(
        caches,
        requests,
        request => !hasCondition(request.status?.conditions, conditionTypes.ready),
        enqueue,
      );
    },
    reconcile: (key, signal) => reconcileRequest(work, key, signal),
  };
}
