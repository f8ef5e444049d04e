import { certificateNameAnnotation, certificateRevisionAnnotation } from '../../api/annotations.ts';
import { type Certificate, certificates } from '../../api/cert-manager/certificate.ts';
import { type CertificateRequest, certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import { secrets } from '../../api/kubernetes/secret.ts';
import { nextPrivateKeyLabel } from '../../api/labels.ts';
import { controllerOf } from '../../api/meta.ts';
import type { ControllerContext } from '../context.ts';
import { nextKeyNameFor } from './names.ts';
import { type CertificateState, revisionOf } from './state.ts';

/** Names of the indexes that gathering rests on. */
const bySecretName = 'secret-name';
export const byController = 'controller';

/** Declares the indexes; once, before the caches start. */
export function addCertificateIndexes({ caches }: ControllerContext): void {
  caches.cacheOf(certificates).addIndex(bySecretName, certificate => [secretIndexValue(certificate)]);
  caches.cacheOf(certificateRequests).addIndex(byController, request => [controllerOf(request)?.uid ?? '']);
  caches.cacheOf(secrets).addIndex(byController, secret => {
    const uid = controllerOf(secret)?.uid;
    return uid === undefined ? [] : [uid];
  });
}

/** The Certificates that name one Secret. */
export function certificatesForSecret(
  { caches }: ControllerContext,
  secret: { readonly namespace: string; readonly name: string },
): readonly Certificate[] {
  return caches.cacheOf(certificates).byIndex(bySecretName, `${secret.namespace}/${secret.name}`);
}

/** Reads from the caches all that the decision about a Certificate needs. */
export function gatherCertificate(context: ControllerContext, certificate: Certificate): CertificateState {
  const { caches } = context;
  const { namespace = '', uid = '', name = '' } = certificate.metadata;
  const secretCache = caches.cacheOf(secrets);
  const secret = secretCache.get({ namespace, name: certificate.spec.secretName });

  const revision = revisionOf(certificate);
  const requests = caches
    .cacheOf(certificateRequests)
    .byIndex(byController, uid)
    .toSorted((a, b) => revisionIn(b) - revisionIn(a));

  const keys = secretCache
    .byIndex(byController, uid)
    .filter(
      one =>
        one.metadata.labels?.[nextPrivateKeyLabel] === 'true' && one.metadata.deletionTimestamp === undefined,
    );
  const nextKeyName =
    certificate.status?.nextPrivateKeySecretName ?? nextKeyNameFor(certificate, revision + 1);
  const nextKey = keys.find(key => key.metadata.name === nextKeyName);

  const named = secret?.metadata.annotations?.[certificateNameAnnotation];
  const [claimant] = certificatesForSecret(context, {
    namespace,
    name: certificate.spec.secretName,
  }).toSorted(byClaim(named));
  return {
    certificate,
    secret,
    rival: claimant === undefined || claimant.metadata.name === name ? undefined : claimant,
    nextKey,
    strayKeys: keys.filter(key => key !== nextKey),
    currentRequest: requests.find(request => revisionIn(request) === revision),
    nextRequest: requests.find(request => revisionIn(request) === revision + 1),
    oldRequests: requests.filter(request => revisionIn(request) < revision),
  };
}

function revisionIn(request: CertificateRequest): number {
  return Number(request.metadata.annotations?.[certificateRevisionAnnotation] ?? Number.NaN);
}

function secretIndexValue(certificate: Certificate): string {
  return `${certificate.metadata.namespace ?? ''}/${certificate.spec.secretName}`;
}

/** The one that the Secret names has the best claim, then the oldest, then the first by name. */
function byClaim(named: string | undefined): (a: Certificate, b: Certificate) => number {
  const rank = (certificate: Certificate): string =>
    `${certificate.metadata.name === named ? 0 : 1} ${certificate.metadata.creationTimestamp ?? ''} ${certificate.metadata.name ?? ''}`;
  return (a, b) => (rank(a) < rank(b) ? -1 : 1);
}
