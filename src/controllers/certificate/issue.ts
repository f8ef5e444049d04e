import type { KeyObject } from 'node:crypto';
import { type Certificate, certificates } from '../../api/cert-manager/certificate.ts';
import { certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import { secrets, tlsPrivateKeyKey } from '../../api/kubernetes/secret.ts';
import { controlledSecretLabel, nextPrivateKeyLabel } from '../../api/labels.ts';
import { controllerOf, type KubeObject, keyOf } from '../../api/meta.ts';
import { certificateEvents, certificateReadyReasons } from '../../api/reasons.ts';
import { createOrGet, deleteIfThere } from '../../issuers/idempotent-writes.ts';
import { isControlledBy, ownedBy } from '../../issuers/owned-by.ts';
import { ended, quoted } from '../../issuers/sentence.ts';
import { encodePrivateKey, generatePrivateKey, keySpecMismatch } from '../../pki/private-key.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import type { ControllerContext } from '../context.ts';
import type { Violation } from './checks.ts';
import type { CertificateDecision } from './decide.ts';
import { nextKeyNameFor } from './names.ts';
import { replacedCertId } from './replaced.ts';
import { requestFor } from './request.ts';
import { changedFields, csrOf } from './request-match.ts';
import type { CertificateState } from './state.ts';
import type { StoredPair } from './stored-pair.ts';
import { tellRefusal } from './tell.ts';
import { wantedKey } from './wanted.ts';
import type { CertificateWork } from './work.ts';

/** Makes the private key of the next revision and stores it, before anything is asked for with it. */
export async function makeKey(
  work: CertificateWork,
  state: CertificateState,
  why: Violation,
): Promise<ReconcileResult | 'again'> {
  const { api, events } = work.context;
  const { certificate, pair } = state;
  const spec = wantedKey(certificate);
  const kept = certificate.spec.privateKey?.rotationPolicy === 'Never' ? keyIn(pair) : undefined;
  const mismatch = kept && keySpecMismatch(kept, spec);
  if (mismatch !== undefined) {
    return tellRefusal(work, state, {
      reason: certificateEvents.cannotRegenerateKey,
      message: `The private key cannot be kept: ${mismatch}; set spec.privateKey.rotationPolicy to Always, or spec.privateKey to what the key is.`,
    });
  }
  const key = kept ?? (await generatePrivateKey(spec));
  const stored = await createOrGet(api, secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: {
      name: nextKeyNameFor(certificate),
      namespace: certificate.metadata.namespace,
      labels: { [nextPrivateKeyLabel]: 'true', [controlledSecretLabel]: 'true' },
      ownerReferences: [ownedBy(certificate, certificates)],
    },
    data: { [tlsPrivateKeyKey]: Buffer.from(encodePrivateKey(key, 'PKCS8')).toString('base64') },
  });
  const obstacle = obstacleOf(stored, certificate);
  if (obstacle !== undefined) return wayIsBlocked(work, state, stored, obstacle);
  events.normal(certificate, certificateEvents.issuing, `Issuing a certificate: ${ended(why.message)}`);
  return 'again';
}

function keyIn(pair: StoredPair | undefined): KeyObject | undefined {
  try {
    return pair?.key;
  } catch {
    return undefined;
  }
}

/** Makes the request of the next revision. */
export async function makeRequest(
  work: CertificateWork,
  state: CertificateState,
  { key, keyName }: CertificateDecision & { kind: 'make-request' },
): Promise<ReconcileResult | 'again'> {
  const { certificate } = state;
  const request = await requestFor(certificate, key, keyName, replacedBy(work, state));
  // A request that does not fit at once would be made again without end.
  const lost = changedFields(request, csrOf(request), certificate, [request.spec.issuerRef]);
  if (lost.length > 0) {
    return tellRefusal(work, state, {
      reason: certificateReadyReasons.invalidSpec,
      message: `A certificate signing request cannot say what is in ${lost.join(', ')}; write it in another way.`,
    });
  }
  const stored = await createOrGet(work.context.api, certificateRequests, request);
  const obstacle = obstacleOf(stored, certificate);
  return obstacle === undefined ? 'again' : wayIsBlocked(work, state, stored, obstacle);
}

function replacedBy({ options }: CertificateWork, state: CertificateState): string | undefined {
  return options.renewalWindows === undefined ? undefined : replacedCertId(state);
}

/** Takes back what was begun: first the request, so that none is left without its key. */
export async function restart(
  { api }: Pick<ControllerContext, 'api'>,
  { certificate, nextRequest, nextKey, strayKeys }: CertificateState,
  dropKey: boolean,
): Promise<ReconcileResult | 'again'> {
  // Where another process leads too, what it has finished may look here as if it had only been begun.
  const live = await api.get(certificates, keyOf(certificate));
  if (live.metadata.resourceVersion !== certificate.metadata.resourceVersion)
    return { requeueAfterMs: 1_000 };
  if (nextRequest !== undefined) await deleteIfThere(api, certificateRequests, nextRequest);
  if (dropKey) {
    for (const key of [...strayKeys, ...(nextKey === undefined ? [] : [nextKey])])
      await deleteIfThere(api, secrets, key);
  }
  // One that is only marked as deleted, for its finalizers, comes back by its last change.
  return (nextRequest?.metadata.finalizers ?? []).length > 0 ? {} : 'again';
}

/** Whether an object of the name we need keeps us from going on: for a moment, or until somebody removes it. */
function obstacleOf(stored: KubeObject, certificate: Certificate): 'passing' | 'lasting' | undefined {
  if (stored.metadata.deletionTimestamp !== undefined) return 'passing';
  if (isControlledBy(stored, certificate)) return undefined;
  const owner = controllerOf(stored);
  // Of an earlier Certificate of this name: it goes after its owner.
  const isLeftOver = owner?.kind === certificates.kind && owner.name === certificate.metadata.name;
  return isLeftOver ? 'passing' : 'lasting';
}

async function wayIsBlocked(
  work: CertificateWork,
  state: CertificateState,
  stored: KubeObject,
  obstacle: 'passing' | 'lasting',
): Promise<ReconcileResult> {
  if (obstacle === 'passing') return { requeueAfterMs: 1_000 };
  const message = `${stored.kind} ${quoted(stored.metadata.name)} has the name that is needed for the next issuance, and is not this Certificate's; delete it.`;
  return tellRefusal(work, state, { reason: 'NameTaken', message }, 30_000);
}
