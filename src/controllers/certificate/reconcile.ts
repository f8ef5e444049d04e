import type { KeyObject } from 'node:crypto';
import {
  type Certificate,
  type CertificateStatus,
  certificates,
} from '../../api/cert-manager/certificate.ts';
import { certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import { withCondition } from '../../api/condition.ts';
import { type Secret, secrets, tlsCertificateKey, tlsPrivateKeyKey } from '../../api/kubernetes/secret.ts';
import { nextPrivateKeyLabel } from '../../api/labels.ts';
import { type KubeObject, keyOf, type ObjectKey } from '../../api/meta.ts';
import { certificateEvents, certificateReadyReasons } from '../../api/reasons.ts';
import type { Resource } from '../../api/resource.ts';
import { canonicalJson } from '../../core/canonical-json.ts';
import { isKubeError } from '../../kube/errors.ts';
import { parseCertificate } from '../../pki/certificate.ts';
import {
  encodePrivateKey,
  generatePrivateKey,
  keySpecMismatch,
  parsePrivateKey,
} from '../../pki/private-key.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import type { ControllerContext } from '../context.ts';
import { pendingGraceLeftMs } from '../pending-grace.ts';
import { issuanceViolation, renewalTimeOf } from './checks.ts';
import { type CertificateDecision, decideCertificate } from './decide.ts';
import { gatherCertificate } from './gather.ts';
import { nextKeyNameFor } from './names.ts';
import { ownedBy, requestFor } from './request.ts';
import { hasMetadata, secretMetadata, secretWith } from './secret.ts';
import { type CertificateState, revisionOf, secretValue } from './state.ts';
import { condition, failedStatus, issuedStatus, readyCondition, validity, withStatus } from './status.ts';
import { needsTemporary, temporaryPair } from './temporary.ts';
import { wantedKey } from './wanted.ts';

/** How this controller was set up. */
export interface CertificateOptions {
  /** --enable-certificate-owner-ref: Secrets go with their Certificate. */
  readonly ownerRefOnSecrets: boolean;
}

/** More steps than one issuance has; a Certificate that needs more is looked at again later. */
const stepsAtOnce = 8;

/** Takes one Certificate as many steps forward as can be taken without waiting. */
export async function reconcileCertificate(
  context: ControllerContext,
  options: CertificateOptions,
  key: ObjectKey,
): Promise<ReconcileResult> {
  const cache = context.caches.cacheOf(certificates);
  for (let step = 0; step < stepsAtOnce; step++) {
    const certificate = cache.get(key);
    if (certificate === undefined || certificate.metadata.deletionTimestamp !== undefined) return {};
    const state = gatherCertificate(context, certificate);
    const decision = decideCertificate(state, context.clock.now());
    const result = await apply(context, options, state, decision);
    if (result !== 'again') return result;
  }
  return { requeueAfterMs: 1_000 };
}

async function apply(
  context: ControllerContext,
  options: CertificateOptions,
  state: CertificateState,
  decision: CertificateDecision,
): Promise<ReconcileResult | 'again'> {
  switch (decision.kind) {
    case 'stop':
      return stop(context, state, decision.reason, decision.message);
    case 'ready':
      return ready(context, options, state);
    case 'back-off':
      await pending(context, state, decision.violation, false);
      return { requeueAfterMs: decision.untilMs - context.clock.now() };
    case 'make-key':
      return makeKey(context, state, decision.why);
    case 'make-request':
      return makeRequest(context, state, decision.key);
    case 'restart':
      await restart(context, state, decision.dropKey);
      return 'again';
    case 'wait':
      return wait(context, options, state, decision);
    case 'fail':
      return fail(context, state, decision);
    case 'complete':
      return complete(context, options, state, decision);
  }
}

async function stop(
  context: ControllerContext,
  state: CertificateState,
  reason: string,
  message: string,
): Promise<ReconcileResult> {
  const status = state.certificate.status ?? {};
  const refused = condition(state, context.clock.now(), 'Ready', 'False', reason, message);
  context.events.warning(state.certificate, reason, message);
  await writeStatus(context, state, { ...status, conditions: withCondition(status.conditions, refused) });
  // The other Certificate may go without a change to this one that would be seen.
  return reason === certificateReadyReasons.duplicateSecretName ? { requeueAfterMs: 60_000 } : {};
}

async function ready(
  context: ControllerContext,
  options: CertificateOptions,
  state: CertificateState,
): Promise<ReconcileResult | 'again'> {
  const { certificate, secret } = state;
  if (secret === undefined) return 'again';
  const nowMs = context.clock.now();
  const wanted = secretWith(
    certificate,
    secret,
    {
      privateKey: secretValue(secret, tlsPrivateKeyKey)?.toString() ?? '',
      chain: secretValue(secret, tlsCertificateKey)?.toString() ?? '',
      ca: secretValue(secret, 'ca.crt')?.toString(),
    },
    options.ownerRefOnSecrets ? ownedBy(certificate) : undefined,
  );
  const leaf = parseCertificate(secretValue(secret, tlsCertificateKey)?.toString() ?? '');
  const hasOwner =
    !options.ownerRefOnSecrets ||
    secret.metadata.ownerReferences?.some(({ uid }) => uid === certificate.metadata.uid);
  if (!hasMetadata(secret, secretMetadata(certificate, leaf)) || hasOwner !== true) {
    await context.api.update(secrets, wanted);
  }
  await prune(context, state);
  const status = certificate.status ?? {};
  const { nextPrivateKeySecretName: _over, ...kept } = status;
  await writeStatus(context, state, {
    ...kept,
    ...validity(state),
    conditions: withCondition(status.conditions, readyCondition(state, undefined, nowMs)),
  });
  return { requeueAfterMs: Math.max(1_000, renewalTimeOf(state) - nowMs) };
}

/** Keys of issuances that are over, and requests beyond spec.revisionHistoryLimit. */
async function prune({ api }: ControllerContext, state: CertificateState): Promise<void> {
  for (const key of [...state.strayKeys, ...(state.nextKey ? [state.nextKey] : [])])
    await remove(api, secrets, key);
  const kept = Math.max(0, (state.certificate.spec.revisionHistoryLimit ?? 1) - 1);
  for (const request of state.oldRequests.slice(kept)) await remove(api, certificateRequests, request);
}

async function makeKey(
  context: ControllerContext,
  state: CertificateState,
  why: string,
): Promise<ReconcileResult | 'again'> {
  const { certificate, secret } = state;
  const spec = wantedKey(certificate);
  const kept = certificate.spec.privateKey?.rotationPolicy === 'Never' ? keptKey(secret) : undefined;
  const mismatch = kept && keySpecMismatch(kept, spec);
  if (mismatch !== undefined) {
    const message = `The private key cannot be kept: ${mismatch}. Set spec.privateKey.rotationPolicy to Always, or spec.privateKey to what the key is.`;
    return stop(context, state, certificateEvents.cannotRegenerateKey, message);
  }
  const key = kept ?? (await generatePrivateKey(spec));
  const name = nextKeyNameFor(certificate, revisionOf(certificate) + 1);
  await unlessThere(
    context.api.create(secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'Opaque',
      metadata: {
        name,
        namespace: certificate.metadata.namespace,
        labels: { [nextPrivateKeyLabel]: 'true', 'controller.cert-manager.io/fao': 'true' },
        ownerReferences: [ownedBy(certificate)],
      },
      data: { [tlsPrivateKeyKey]: Buffer.from(encodePrivateKey(key, 'PKCS8')).toString('base64') },
    }),
  );
  context.events.normal(certificate, certificateEvents.issuing, `Issuing a certificate: ${why}`);
  return 'again';
}

function keptKey(secret: Secret | undefined): KeyObject | undefined {
  try {
    return secret && parsePrivateKey(secretValue(secret, tlsPrivateKeyKey) ?? '');
  } catch {
    return undefined;
  }
}

async function makeRequest(
  { api }: ControllerContext,
  { certificate, nextKey }: CertificateState,
  key: KeyObject,
): Promise<'again'> {
  const revision = revisionOf(certificate) + 1;
  const request = await requestFor(certificate, revision, key, nextKey?.metadata.name ?? '');
  await unlessThere(api.create(certificateRequests, request));
  return 'again';
}

async function restart({ api }: ControllerContext, state: CertificateState, dropKey: boolean): Promise<void> {
  if (state.nextRequest !== undefined) await remove(api, certificateRequests, state.nextRequest);
  if (dropKey && state.nextKey !== undefined) await remove(api, secrets, state.nextKey);
}

async function wait(
  context: ControllerContext,
  options: CertificateOptions,
  state: CertificateState,
  decision: CertificateDecision & { kind: 'wait' },
): Promise<ReconcileResult> {
  if (needsTemporary(state)) {
    const pair = await temporaryPair(state, context.clock.now());
    const owner = options.ownerRefOnSecrets ? ownedBy(state.certificate) : undefined;
    await putSecret(context, secretWith(state.certificate, state.secret, pair, owner), state.secret);
  }
  const leftMs = pendingGraceLeftMs(decision.request, context.clock.now());
  if (leftMs > 0) return { requeueAfterMs: leftMs };
  await pending(context, state, decision.violation, true);
  return {};
}

/** Says in the status that the Certificate is not what it should be yet. */
async function pending(
  context: ControllerContext,
  state: CertificateState,
  violation: { reason: string; message: string },
  issuing: boolean,
): Promise<void> {
  const nowMs = context.clock.now();
  const status = state.certificate.status ?? {};
  const found = issuanceViolation(state, nowMs);
  let conditions = withCondition(status.conditions, readyCondition(state, found, nowMs));
  if (issuing) {
    conditions = withCondition(
      conditions,
      condition(state, nowMs, 'Issuing', 'True', violation.reason, violation.message),
    );
  }
  await writeStatus(context, state, {
    ...status,
    conditions,
    ...(issuing && state.nextKey !== undefined && { nextPrivateKeySecretName: state.nextKey.metadata.name }),
  });
}

async function fail(
  context: ControllerContext,
  state: CertificateState,
  failure: CertificateDecision & { kind: 'fail' },
): Promise<'again'> {
  const nowMs = context.clock.now();
  const message = `The certificate request has failed: ${failure.message}`;
  context.events.warning(state.certificate, certificateEvents.failed, message);
  const recorded = { reason: failure.reason, message, atMs: failure.atMs === 0 ? nowMs : failure.atMs };
  await writeStatus(context, state, failedStatus(state, recorded, issuanceViolation(state, nowMs), nowMs));
  return 'again';
}

async function complete(
  context: ControllerContext,
  options: CertificateOptions,
  state: CertificateState,
  { request, key }: CertificateDecision & { kind: 'complete' },
): Promise<'again'> {
  const { certificate } = state;
  const pair = {
    privateKey: encodePrivateKey(key, certificate.spec.privateKey?.encoding ?? 'PKCS1'),
    chain: Buffer.from(request.status?.certificate ?? '', 'base64').toString(),
    ca: request.status?.ca === undefined ? undefined : Buffer.from(request.status.ca, 'base64').toString(),
  };
  const owner = options.ownerRefOnSecrets ? ownedBy(certificate) : undefined;
  const secret = await putSecret(context, secretWith(certificate, state.secret, pair, owner), state.secret);
  context.events.normal(certificate, certificateEvents.issuing, 'The certificate has been issued.');
  const issued = { ...state, secret, currentRequest: request };
  await writeStatus(context, state, issuedStatus(issued, context.clock.now()));
  return 'again';
}

async function putSecret(
  { api }: ControllerContext,
  secret: Secret,
  current: Secret | undefined,
): Promise<Secret> {
  return current === undefined ? api.create(secrets, secret) : api.update(secrets, secret);
}

async function writeStatus(
  context: ControllerContext,
  { certificate }: CertificateState,
  status: CertificateStatus,
): Promise<void> {
  if (canonicalJson(certificate.status ?? {}) === canonicalJson(status)) return;
  await context.api.updateStatus<Certificate>(certificates, withStatus(certificate, status));
}

async function unlessThere(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    if (!isKubeError(error, 'KUBE_ALREADY_EXISTS')) throw error;
  }
}

async function remove<T extends KubeObject>(
  api: ControllerContext['api'],
  resource: Resource<T>,
  object: T,
): Promise<void> {
  try {
    await api.delete(resource, keyOf(object), { uid: object.metadata.uid });
  } catch (error) {
    if (!isKubeError(error, 'KUBE_NOT_FOUND', 'KUBE_CONFLICT')) throw error;
  }
}
