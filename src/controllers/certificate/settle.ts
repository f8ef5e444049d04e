import { certificates } from '../../api/cert-manager/certificate.ts';
import { certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import { secrets } from '../../api/kubernetes/secret.ts';
import { keyOf } from '../../api/meta.ts';
import { deleteIfThere } from '../../issuers/idempotent-writes.ts';
import { ownedBy } from '../../issuers/owned-by.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import { writeStatus } from '../write-status.ts';
import { pairOf, renewalTimeOf } from './checks.ts';
import { hasMetadata, secretMetadata, secretWith } from './secret.ts';
import type { CertificateState } from './state.ts';
import { readyStatus } from './status.ts';
import type { CertificateWork } from './work.ts';

/** Sees to a Certificate whose Secret is right: metadata, left-overs, status; and comes back for the renewal. */
export async function settle(work: CertificateWork, state: CertificateState): Promise<ReconcileResult> {
  const { context, patience } = work;
  const { certificate } = state;
  const nowMs = context.clock.now();
  patience.forget(keyOf(certificate));
  await keepMetadata(work, state);
  await prune(work, state);
  await writeStatus(context.api, certificates, certificate, readyStatus(state, nowMs));
  return { requeueAfterMs: Math.max(1_000, renewalTimeOf(state) - nowMs) };
}

/** The annotations and labels of the Secret, and its owner, are kept as they should be, without issuing. */
async function keepMetadata({ context, options }: CertificateWork, state: CertificateState): Promise<void> {
  const { certificate, secret } = state;
  if (secret === undefined) return;
  const pair = pairOf(state);
  const owner = options.ownerRefOnSecrets ? ownedBy(certificate, certificates) : undefined;
  const isOwned =
    owner === undefined || secret.metadata.ownerReferences?.some(({ uid }) => uid === owner.uid) === true;
  if (isOwned && hasMetadata(secret, secretMetadata(certificate, pair.leaf))) return;
  const { privateKey = '', chain = '', ca } = pair;
  await context.api.update(secrets, secretWith(certificate, secret, { privateKey, chain, ca }, owner));
}

/** Keys of issuances that are over, and requests beyond spec.revisionHistoryLimit. */
async function prune({ context: { api } }: CertificateWork, state: CertificateState): Promise<void> {
  const { certificate, strayKeys, nextKey, oldRequests } = state;
  for (const key of [...strayKeys, ...(nextKey === undefined ? [] : [nextKey])])
    await deleteIfThere(api, secrets, key);
  const kept = Math.max(0, (certificate.spec.revisionHistoryLimit ?? 1) - 1);
  for (const request of oldRequests.slice(kept)) await deleteIfThere(api, certificateRequests, request);
}
