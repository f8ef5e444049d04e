import { type Certificate, certificates } from '../../api/cert-manager/certificate.ts';
import { certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import { hasCondition } from '../../api/condition.ts';
import { secrets } from '../../api/kubernetes/secret.ts';
import { controllerOf, type KubeObject, keyOf, type ObjectKey } from '../../api/meta.ts';
import { conditionTypes } from '../../api/reasons.ts';
import type { ControllerSpec } from '../../runtime/controller.ts';
import type { ControllerContext } from '../context.ts';
import { createPatience } from '../patience.ts';
import {
  addCertificateIndexes,
  certificatesForSecret,
  certificatesWithPassword,
  secretKeyOf,
} from './gather.ts';
import { reconcileCertificate } from './reconcile.ts';
import type { CertificateOptions } from './work.ts';

/** Certificates become Secrets, by way of CertificateRequests. */
export function certificateController(
  context: ControllerContext,
  options: CertificateOptions,
): ControllerSpec {
  addCertificateIndexes(context);
  const { caches } = context;
  const work = { context, options, patience: createPatience(context.clock) };
  return {
    name: 'certificates',
    watch(enqueue) {
      caches.cacheOf(certificates).onChange(({ before, after }) => {
        for (const certificate of [before, after]) if (certificate) enqueue(keyOf(certificate));
        // Another that waits for this Secret may have it now; or one that has it, has it not alone any more.
        const claimed = [before, after].filter(each => each !== undefined);
        if (before === undefined || !sharesSecret(before, after)) {
          for (const certificate of claimed)
            for (const other of certificatesForSecret(context, secretKeyOf(certificate)))
              enqueue(keyOf(other));
        }
      });
      options.renewalWindows?.onAnswer(enqueue);
      options.issuerSecrets.onChange(secret => {
        for (const certificate of certificatesForSecret(context, secret)) enqueue(keyOf(certificate));
      });
      caches.cacheOf(certificateRequests).onChange(({ before, after }) => {
        // Signed: what is left is quickly done, while others have not begun.
        const first = hasCondition(after?.status?.conditions, conditionTypes.ready);
        for (const request of [before, after]) if (request) enqueueOwner(request, key => enqueue(key, first));
      });
      caches.cacheOf(secrets).onChange(({ before, after }) => {
        const secret = after ?? before;
        if (secret === undefined) return;
        enqueueOwner(secret, enqueue);
        for (const certificate of certificatesForSecret(context, keyOf(secret))) enqueue(keyOf(certificate));
        for (const certificate of certificatesWithPassword(context, keyOf(secret)))
          enqueue(keyOf(certificate));
      });
    },
    reconcile: (key, signal) => reconcileCertificate(work, key, signal),
  };
}

function sharesSecret(before: Certificate, after: Certificate | undefined): boolean {
  return (
    after?.spec.secretName === before.spec.secretName &&
    after.metadata.deletionTimestamp === before.metadata.deletionTimestamp
  );
}

function enqueueOwner(object: KubeObject, enqueue: (key: ObjectKey) => void): void {
  const owner = controllerOf(object);
  if (owner?.kind !== certificates.kind) return;
  enqueue({ namespace: object.metadata.namespace ?? '', name: owner.name });
}
