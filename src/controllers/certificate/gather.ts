import {
  certificateNameAnnotation,
  certificateRevisionAnnotation,
  privateKeySecretNameAnnotation,
} from '../../api/annotations.ts';
import { type Certificate, certificates } from '../../api/cert-manager/certificate.ts';
import { type CertificateRequest, certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import { secrets } from '../../api/kubernetes/secret.ts';
import { nextPrivateKeyLabel } from '../../api/labels.ts';
import { controllerOf, type KubeObject, type ObjectKey } from '../../api/meta.ts';
import type { RenewalAdvice } from '../../issuers/acme/renewal-windows.ts';
import type { ControllerContext } from '../context.ts';
import type { IssuerSecrets } from '../issuer-secrets.ts';
import { keystorePasswords, passwordSecretsOf } from './keystore-passwords.ts';
import { nextKeyNameFor } from './names.ts';
import { type CertificateState, revisionOf } from './state.ts';
import { pairIn } from './stored-pair.ts';

const bySecretName = 'secret-name';
const byPasswordSecret = 'password-secret';
const byController = 'controller';

/** Declares the indexes; once, before the caches start. */
export function addCertificateIndexes({ caches }: ControllerContext): void {
  const uidOfController = (object: KubeObject): string[] => {
    const uid = controllerOf(object)?.uid;
    return uid === undefined ? [] : [uid];
  };
  caches
    .cacheOf(certificates)
    .addIndex(bySecretName, certificate => [secretIndexValue(secretKeyOf(certificate))]);
  caches
    .cacheOf(certificates)
    .addIndex(byPasswordSecret, certificate => passwordSecretsOf(certificate).map(secretIndexValue));
  caches.cacheOf(certificateRequests).addIndex(byController, uidOfController);
  caches.cacheOf(secrets).addIndex(byController, uidOfController);
}

/** Where the Secret of a Certificate is. */
export function secretKeyOf(certificate: Certificate): ObjectKey {
  return { namespace: certificate.metadata.namespace ?? '', name: certificate.spec.secretName };
}

/** The Certificates that name one Secret. */
export function certificatesForSecret(
  { caches }: ControllerContext,
  secret: ObjectKey,
): readonly Certificate[] {
  return caches.cacheOf(certificates).byIndex(bySecretName, secretIndexValue(secret));
}

/** The Certificates whose keystores have their password from a Secret. */
export function certificatesWithPassword(
  { caches }: ControllerContext,
  secret: ObjectKey,
): readonly Certificate[] {
  return caches.cacheOf(certificates).byIndex(byPasswordSecret, secretIndexValue(secret));
}

/** Reads from the caches all that the decision about a Certificate needs. */
export function gatherCertificate(
  context: ControllerContext,
  certificate: Certificate,
  issuerSecrets: Pick<IssuerSecrets, 'usesOf'>,
  renewalAdvice: RenewalAdvice = { kind: 'none' },
): CertificateState {
  const { caches } = context;
  const { uid = '', name = '' } = certificate.metadata;
  const secretCache = caches.cacheOf(secrets);
  const secret = secretCache.get(secretKeyOf(certificate));

  const revision = revisionOf(certificate);
  const requests = caches
    .cacheOf(certificateRequests)
    .byIndex(byController, uid)
    .map(request => ({ request, number: revisionIn(request) }));
  const nextRequest = requests.find(({ number }) => number === revision + 1)?.request;

  const keys = secretCache
    .byIndex(byController, uid)
    .filter(
      ({ metadata }) =>
        metadata.labels?.[nextPrivateKeyLabel] === 'true' && metadata.deletionTimestamp === undefined,
    );
  // The request says which key it was made with; before there is one, the status of an older process, or the name.
  const nextKeyNames = [
    nextRequest?.metadata.annotations?.[privateKeySecretNameAnnotation],
    certificate.status?.nextPrivateKeySecretName,
    nextKeyNameFor(certificate),
  ];
  const nextKey = nextKeyNames
    .map(wanted => keys.find(key => key.metadata.name === wanted))
    .find(found => found !== undefined);

  const claimants = certificatesForSecret(context, secretKeyOf(certificate))
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .toSorted(byClaim(secret?.metadata.annotations?.[certificateNameAnnotation]));
  const [claimant] = claimants;
  return {
    certificate,
    secret,
    pair: secret && pairIn(secret),
    passwords: keystorePasswords(caches, certificate),
    rival: claimant === undefined || claimant.metadata.name === name ? undefined : claimant,
    isShared: claimants.length > 1,
    issuerUses: issuerSecrets.usesOf(secretKeyOf(certificate)),
    nextKey,
    strayKeys: keys.filter(key => key !== nextKey),
    currentRequest: requests.find(({ number }) => number === revision)?.request,
    nextRequest,
    oldRequests: requests
      .filter(({ number }) => number < revision)
      .toSorted((a, b) => b.number - a.number)
      .map(({ request }) => request),
    renewalAdvice,
  };
}

function revisionIn({ metadata }: CertificateRequest): number {
  return Number(metadata.annotations?.[certificateRevisionAnnotation] ?? Number.NaN);
}

function secretIndexValue({ namespace, name }: ObjectKey): string {
  return `${namespace}/${name}`;
}

/** The one that the Secret names has the best claim, then the oldest, then the first by name. */
function byClaim(named: string | undefined): (a: Certificate, b: Certificate) => number {
  const rank = ({ metadata }: Certificate): string =>
    `${metadata.name === named ? 0 : 1} ${metadata.creationTimestamp ?? ''} ${metadata.name ?? ''}`;
  return (a, b) => (rank(a) < rank(b) ? -1 : 1);
}
