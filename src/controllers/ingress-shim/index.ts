import { certificates } from '../../api/cert-manager/certificate.ts';
import { type Ingress, ingresses } from '../../api/kubernetes/ingress.ts';
import { controllerOf, keyOf, keyText } from '../../api/meta.ts';
import type { ControllerSpec } from '../../runtime/controller.ts';
import type { ControllerContext } from '../context.ts';
import { isStatusChange } from '../status-change.ts';
import { asksForCertificate, type ShimDefaults } from './issuer.ts';
import { reconcileIngress } from './reconcile.ts';

const byCertificate = 'certificate';

/** Annotated Ingresses become Certificates. */
export function ingressShim(context: ControllerContext, defaults: ShimDefaults): ControllerSpec {
  const ingressCache = context.caches.cacheOf(ingresses);
  const certificateCache = context.caches.cacheOf(certificates);
  certificateCache.addIndex('controller', certificate => {
    const uid = controllerOf(certificate)?.uid;
    return uid === undefined ? [] : [uid];
  });
  ingressCache.addIndex(byCertificate, ({ metadata, spec }) =>
    (spec?.tls ?? []).flatMap(({ secretName }) =>
      secretName ? keyText({ namespace: metadata.namespace ?? '', name: secretName }) : [],
    ),
  );
  const told = new WeakMap<Ingress, string>();
  return {
    name: 'ingress-shim',
    watch(enqueue) {
      ingressCache.onChange(({ after }) => {
        // Nothing is done for any other, one that is gone or asks no more among them: see `decideCertificates`.
        if (after !== undefined && asksForCertificate(after, defaults)) enqueue(keyOf(after));
      });
      certificateCache.onChange(change => {
        // What an Ingress decides stands in metadata and spec; of how an issuance goes nothing is read.
        if (isStatusChange(change)) return;
        const { before, after } = change;
        for (const certificate of [before, after]) {
          if (certificate === undefined) continue;
          const owner = controllerOf(certificate);
          if (owner?.kind === 'Ingress') {
            enqueue({ namespace: certificate.metadata.namespace ?? '', name: owner.name });
          }
          // Those too that wait for its name.
          for (const ingress of ingressCache.byIndex(byCertificate, keyText(keyOf(certificate))))
            enqueue(keyOf(ingress));
        }
      });
    },
    reconcile: key => reconcileIngress(context, defaults, told, key),
  };
}
