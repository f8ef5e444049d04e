import { orders } from '../../api/acme/order.ts';
import { type CertificateRequest, certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import { clusterIssuers, type Issuer, issuers } from '../../api/cert-manager/issuer.ts';
import { issuerRefOf } from '../../api/cert-manager/issuer-ref.ts';
import { controllerOf, keyOf } from '../../api/meta.ts';
import type { ControllerSpec } from '../../runtime/controller.ts';
import type { ControllerContext } from '../context.ts';
import { type RequestOptions, reconcileRequest } from './reconcile.ts';

const byIssuer = 'issuer';

/** CertificateRequests become signed certificates, by the issuer that each names. */
export function certificateRequestController(
  context: ControllerContext,
  options: RequestOptions,
): ControllerSpec {
  const { caches } = context;
  const requests = caches.cacheOf(certificateRequests);
  requests.addIndex(byIssuer, request => [issuerOf(request)]);
  return {
    name: 'certificaterequests',
    watch(enqueue) {
      requests.onChange(({ after }) => {
        if (after) enqueue(keyOf(after));
      });
      caches.cacheOf(orders).onChange(({ before, after }) => {
        const order = after ?? before;
        const owner = order && controllerOf(order);
        if (owner?.kind === certificateRequests.kind) {
          enqueue({ namespace: order?.metadata.namespace ?? '', name: owner.name });
        }
      });
      const issuerChanged = (issuer: Issuer | undefined): void => {
        if (issuer === undefined) return;
        const { namespace = '', name = '' } = issuer.metadata;
        for (const request of requests.byIndex(byIssuer, `${namespace}/${name}`)) enqueue(keyOf(request));
      };
      caches.cacheOf(issuers).onChange(({ after }) => issuerChanged(after));
      caches.cacheOf(clusterIssuers).onChange(({ after }) => issuerChanged(after));
    },
    reconcile: (key, signal) => reconcileRequest(context, options, key, signal),
  };
}

function issuerOf(request: CertificateRequest): string {
  const { kind, name } = issuerRefOf(request.spec.issuerRef);
  return `${kind === 'ClusterIssuer' ? '' : (request.metadata.namespace ?? '')}/${name}`;
}
