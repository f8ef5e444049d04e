import { isDeepStrictEqual } from 'node:util';
import { deleteSecretAnnotation } from '../../api/annotations.ts';
import { type Certificate, certificates } from '../../api/cert-manager/certificate.ts';
import type { Secret } from '../../api/kubernetes/secret.ts';
import type { OwnerReference } from '../../api/meta.ts';
import { ownedBy } from '../../issuers/owned-by.ts';
import type { CertificateState } from './state.ts';
import type { CertificateOptions } from './work.ts';

/**
 * Whether the Secret goes with its Certificate: by --enable-certificate-owner-ref each does; by the annotation
 * `postern.dev/delete-secret` those do that no other Certificate names.
 */
export function ownsSecret(
  { certificate, isShared }: Pick<CertificateState, 'certificate' | 'isShared'>,
  { ownerRefOnSecrets }: Pick<CertificateOptions, 'ownerRefOnSecrets'>,
): boolean {
  const isAskedFor = certificate.metadata.annotations?.[deleteSecretAnnotation] === 'true';
  return ownerRefOnSecrets || (isAskedFor && !isShared);
}

/**
 * The owners of the Secret; our reference is known by its form, so that one made by hand stays where we make none. That of
 * another Certificate, which had the Secret before, goes: the Secret must not be deleted together with it.
 */
export function ownersOf(
  certificate: Certificate,
  current: Secret | undefined,
  isOwned: boolean,
): OwnerReference[] {
  const ours = ownedBy(certificate, certificates);
  const isOfOurForm = ({ name, uid, ...form }: OwnerReference): boolean =>
    isDeepStrictEqual({ ...form, name, uid }, { ...ours, name, uid });
  const kept = (current?.metadata.ownerReferences ?? []).filter(
    owner => !isOfOurForm(owner) || (isOwned && owner.uid === ours.uid),
  );
  if (!isOwned || kept.some(isOfOurForm)) return kept;
  return [...kept.filter(({ uid }) => uid !== ours.uid), ours];
}
