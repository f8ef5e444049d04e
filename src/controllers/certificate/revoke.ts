import { revokeCertificate } from '../../acme/certificate.ts';
import { certificateNameAnnotation, revokeOnDeleteAnnotation } from '../../api/annotations.ts';
import { type Certificate, certificates } from '../../api/cert-manager/certificate.ts';
import { isInTreeIssuer } from '../../api/cert-manager/issuer-ref.ts';
import { secrets } from '../../api/kubernetes/secret.ts';
import { revokeFinalizer } from '../../api/labels.ts';
import { certificateEvents } from '../../api/reasons.ts';
import { messageOf, retryOf } from '../../core/errors.ts';
import { lookUpIssuer } from '../../issuers/lookup.ts';
import { ended, quoted } from '../../issuers/sentence.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import { certificatesForSecret, secretKeyOf } from './gather.ts';
import { signerOf } from './issuer-turn.ts';
import { StoredPair } from './stored-pair.ts';
import { isTemporary } from './temporary.ts';
import type { CertificateWork } from './work.ts';

/** A deletion is not held up for longer than this by a certificate that cannot be revoked. */
const longestRevocationMs = 10 * 60_000;
/** Between tries: as long as it has taken so far, within these. */
const shortestPauseMs = 1_000;
const longestPauseMs = 60_000;

/**
 * Keeps the finalizer by which a Certificate waits for the revocation where the annotation `postern.dev/revoke-on-delete`
 * asks for it, and nowhere else. Gives whether that took a write.
 */
export async function keepRevokeFinalizer(
  { context: { api } }: CertificateWork,
  certificate: Certificate,
): Promise<boolean> {
  const isWanted = isAskedFor(certificate);
  if (isWanted === (certificate.metadata.finalizers ?? []).includes(revokeFinalizer)) return false;
  await writeFinalizers(api, certificate, isWanted);
  return true;
}

function isAskedFor({ metadata }: Certificate): boolean {
  return metadata.annotations?.[revokeOnDeleteAnnotation] === 'true';
}

/**
 * Revokes the certificate of a Certificate that is being deleted, and lets it go. It is let go in any case: at once where
 * there is nothing to revoke, or where it will never be; after ten minutes where the server does not do it until then.
 */
export async function revokeBeforeGone(
  work: CertificateWork,
  certificate: Certificate,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { api, clock, events } = work.context;
  if (!(certificate.metadata.finalizers ?? []).includes(revokeFinalizer)) return {};
  try {
    // Who takes the annotation away does not want to wait any longer.
    const outcome = isAskedFor(certificate) ? await revoke(work, certificate, signal) : undefined;
    if (outcome !== undefined) events.normal(certificate, outcome.reason, outcome.message);
  } catch (error) {
    if (signal.aborted) throw error;
    const { retry, retryAfterMs } = retryOf(error);
    const sinceMs = clock.now() - Date.parse(certificate.metadata.deletionTimestamp ?? '');
    const leftMs = longestRevocationMs - sinceMs;
    const said = ended(messageOf(error));
    if (retry !== 'never' && leftMs > 0) {
      const message = `The certificate could not be revoked yet, and the deletion waits for it: ${said}`;
      events.warning(certificate, certificateEvents.revokeError, message);
      const pauseMs = Math.min(longestPauseMs, Math.max(shortestPauseMs, sinceMs));
      return { requeueAfterMs: Math.min(leftMs, Math.max(pauseMs, retryAfterMs ?? 0)) };
    }
    const message = `The certificate was not revoked, and stays valid until it expires: ${said}`;
    events.warning(certificate, certificateEvents.revokeError, message);
  }
  await writeFinalizers(api, certificate, false);
  return {};
}

interface Outcome {
  readonly reason: string;
  readonly message: string;
}

/** Gives what is to be told, where the certificate has been revoked, or is spared; throws where it could not be. */
async function revoke(
  { context, options }: CertificateWork,
  certificate: Certificate,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const { caches, clock } = context;
  const { metadata, spec } = certificate;
  const secret = caches.cacheOf(secrets).get(secretKeyOf(certificate));
  if (secret === undefined || secret.metadata.annotations?.[certificateNameAnnotation] !== metadata.name)
    return undefined;
  const ref = signerOf(secret);
  const pair = new StoredPair(secret);
  // Without its key the certificate may be anybody's: what is public can be put into any Secret, to have it revoked.
  if (!isInTreeIssuer(ref) || pair.fit.verdict !== 'fits' || isTemporary(pair.leaf)) return undefined;
  if (clock.now() >= pair.leaf.notAfterMs) return undefined;
  const user = certificatesForSecret(context, secretKeyOf(certificate)).find(
    each => each.metadata.name !== metadata.name && each.metadata.deletionTimestamp === undefined,
  );
  if (user !== undefined) {
    const message = `The certificate was not revoked: Certificate ${quoted(user.metadata.name)} names Secret ${quoted(spec.secretName)} too.`;
    return { reason: certificateEvents.notRevoked, message };
  }
  const issuer = lookUpIssuer(caches, ref, metadata.namespace ?? '');
  if (issuer === undefined) {
    const message = `The certificate was not revoked: ${ref.kind} ${quoted(ref.name)}, which has signed it, does not exist any more.`;
    return { reason: certificateEvents.notRevoked, message };
  }
  if (issuer.spec.acme === undefined) return undefined;
  const connection = options.accounts.connectionFor(issuer);
  await revokeCertificate(connection, pair.leaf.pem, { reason: 'cessationOfOperation', signal });
  const message = `The certificate with serial number ${pair.leaf.serialNumber} has been revoked by ${connection.host}.`;
  return { reason: certificateEvents.revoked, message };
}

async function writeFinalizers(
  api: CertificateWork['context']['api'],
  certificate: Certificate,
  isHeld: boolean,
): Promise<void> {
  const { metadata } = certificate;
  const others = (metadata.finalizers ?? []).filter(each => each !== revokeFinalizer);
  const finalizers = isHeld ? [...others, revokeFinalizer] : others;
  try {
    await api.update(certificates, { ...certificate, metadata: { ...metadata, finalizers } });
  } catch (error) {
    if (!isKubeError(error, 'KUBE_NOT_FOUND')) throw error;
  }
}
