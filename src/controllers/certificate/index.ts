import { certificates } from '../../api/cert-manager/certificate.ts';
import { certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import { secrets } from '../../api/kubernetes/secret.ts';
import { controllerOf, type KubeObject, keyOf, type ObjectKey } from '../../api/meta.ts';
import type { ControllerSpec } from '../../runtime/controller.ts';
import type { ControllerContext } from '../context.ts';
import { addCertificateIndexes, certificatesForSecret } from './gather.ts';
import { type CertificateOptions, reconcileCertificate } from './reconcile.ts';

/** Certificates become Secrets, by way of CertificateRequests. */
export function certificateController(
  context: ControllerContext,
  options: CertificateOptions,
): ControllerSpec {
  addCertificateIndexes(context);
  const { caches } = context;
  return {
    name: 'certificates',
    watch(enqueue) {
      caches.cacheOf(certificates).onChange(({ before, after }) => {
        for (const certificate of [before, after]) if (certificate) enqueue(keyOf(certificate));
      });
      caches.cacheOf(certificateRequests).onChange(({ before, after }) => {
        for (const request of [before, after]) if (request) enqueueOwner(request, enqueue);
      });
      caches.cacheOf(secrets).onChange(({ before, after }) => {
        const secret = after ?? before;
        if (secret === undefined) return;
        enqueueOwner(secret, enqueue);
        for (const certificate of certificatesForSecret(context, keyOf(secret))) enqueue(keyOf(certificate));
      });
    },
    reconcile: key => reconcileCertificate(context, options, key),
  };
}

function enqueueOwner(object: KubeObject, enqueue: (key: ObjectKey) => void): void {
  const owner = controllerOf(object);
  if (owner?.kind !== certificates.kind) return;
  enqueue({ namespace: object.metadata.namespace ?? '', name: owner.name });
}
