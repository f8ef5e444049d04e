import { certificates } from '../../api/cert-manager/certificate.ts';
import { type Ingress, ingresses } from '../../api/kubernetes/ingress.ts';
import { controllerOf, keyOf } from '../../api/meta.ts';
import type { ControllerSpec } from '../../runtime/controller.ts';
import type { ControllerContext } from '../context.ts';
import type { ShimDefaults } from './issuer.ts';
import { reconcileIngress } from './reconcile.ts';

/** Annotated Ingresses become Certificates. */
export function ingressShim(context: ControllerContext, defaults: ShimDefaults): ControllerSpec {
  const ingressCache = context.caches.cacheOf(ingresses);
  const certificateCache = context.caches.cacheOf(certificates);
  certificateCache.addIndex('controller', certificate => {
    const uid = controllerOf(certificate)?.uid;
    return uid === undefined ? [] : [uid];
  });
  const told = new WeakSet<Ingress>();
  return {
    name: 'ingress-shim',
    watch(enqueue) {
      ingressCache.onChange(({ before, after }) => {
        const ingress = after ?? before;
        if (ingress !== undefined) enqueue(keyOf(ingress));
      });
      certificateCache.onChange(({ before, after }) => {
        for (const certificate of [before, after]) {
          const owner = certificate && controllerOf(certificate);
          if (owner?.kind === 'Ingress') {
            enqueue({ namespace: certificate?.metadata.namespace ?? '', name: owner.name });
          }
        }
      });
    },
    reconcile: key => reconcileIngress(context, defaults, told, key),
  };
}
