import type { Certificate, CertificateStatus } from '../../api/cert-manager/certificate.ts';
import type { CertificateRequest } from '../../api/cert-manager/certificate-request.ts';
import { type Condition, findCondition, withCondition, withoutCondition } from '../../api/condition.ts';
import {
  certificateReadyReasons,
  conditionTypes,
  issuanceReasons,
  requestReasons,
} from '../../api/reasons.ts';
import { rfc3339 } from '../../core/clock.ts';
import { pairOf, renewalOf, type Violation } from './checks.ts';
import type { Failure } from './failure.ts';
import { passwordViolation } from './keystore-passwords.ts';
import { attemptOf, type CertificateState, revisionOf } from './state.ts';

/** The Ready condition of a Certificate whose Secret has this violation, or none. */
export function readyCondition(
  state: CertificateState,
  violation: Violation | undefined,
  nowMs: number,
): Condition {
  const ready = (status: Condition['status'], reason: string, message: string): Condition =>
    condition(state.certificate, nowMs, 'Ready', status, { reason, message });
  // A certificate that is being renewed is good until it expires.
  if (violation !== undefined && violation.reason !== issuanceReasons.renewing)
    return ready('False', violation.reason, violation.message);
  const { notAfterMs } = pairOf(state).leaf;
  const end = rfc3339(notAfterMs);
  if (nowMs >= notAfterMs)
    return ready('False', certificateReadyReasons.expired, `The certificate expired at ${end}.`);
  const withoutKeystores = passwordViolation(state.passwords);
  if (withoutKeystores !== undefined)
    return ready('False', withoutKeystores.reason, withoutKeystores.message);
  // What another program said of the same certificate is as good: the words alone are not worth a write.
  return (
    saidBefore(state.certificate, end) ??
    ready('True', certificateReadyReasons.ready, `The certificate is up to date and valid until ${end}.`)
  );
}

/** The condition by which a Certificate is Ready already, with this spec and with a certificate valid until `end`. */
function saidBefore({ metadata, status }: Certificate, end: string): Condition | undefined {
  const before = findCondition(status?.conditions, conditionTypes.ready);
  const isSame =
    before?.status === 'True' &&
    before.reason === certificateReadyReasons.ready &&
    before.observedGeneration === metadata.generation &&
    status?.notAfter === end;
  return isSame ? before : undefined;
}

/** A condition of a Certificate as of now. */
export function condition(
  { metadata }: Certificate,
  nowMs: number,
  type: 'Ready' | 'Issuing',
  status: Condition['status'],
  { reason, message }: Violation,
): Condition {
  const lastTransitionTime = rfc3339(nowMs);
  return { type, status, reason, message, lastTransitionTime, observedGeneration: metadata.generation };
}

/** The status of a Certificate whose Secret holds what the spec asks for. */
export function readyStatus(state: CertificateState, nowMs: number): CertificateStatus {
  const { nextPrivateKeySecretName: _over, ...kept } = state.certificate.status ?? {};
  const { leaf } = pairOf(state);
  return {
    ...kept,
    notBefore: rfc3339(leaf.notBeforeMs),
    notAfter: rfc3339(leaf.notAfterMs),
    renewalTime: rfc3339(renewalOf(state).atMs),
    conditions: withCondition(kept.conditions, readyCondition(state, undefined, nowMs)),
  };
}

/** The status after a success: the new revision, and nothing left of failures and of the issuance. */
export function issuedStatus(state: CertificateState, nowMs: number): CertificateStatus {
  const { lastFailureTime: _time, failedIssuanceAttempts: _attempts, ...kept } = readyStatus(state, nowMs);
  return {
    ...kept,
    revision: revisionOf(state.certificate) + 1,
    conditions: withoutCondition(kept.conditions, conditionTypes.issuing),
  };
}

/**
 * The status of a Certificate that an issuer is asked for; `why`, for the Issuing condition. Where there is a `cause` of
 * its waiting, which is what the request says that it waits for unless told otherwise, both conditions say that too: it is
 * the deepest cause that is known, with the fix, and the only object that most people look at is the Certificate.
 */
export function issuingStatus(
  state: CertificateState,
  violation: Violation | undefined,
  why: Violation,
  nowMs: number,
  cause: string | undefined = waitsFor(state.nextRequest),
): CertificateStatus {
  const { certificate, nextKey } = state;
  const status = certificate.status ?? {};
  const deepest = violation && { ...violation, message: [violation.message, cause].join(' ').trim() };
  const conditions = withCondition(status.conditions, readyCondition(state, deepest, nowMs));
  const issuing = { ...why, message: cause ?? why.message };
  return {
    ...status,
    conditions: withCondition(conditions, condition(certificate, nowMs, 'Issuing', 'True', issuing)),
    ...(nextKey !== undefined && { nextPrivateKeySecretName: nextKey.metadata.name }),
  };
}

/** What a request says that it waits for. */
function waitsFor(request: CertificateRequest | undefined): string | undefined {
  const ready = findCondition(request?.status?.conditions, conditionTypes.ready);
  const isPending = ready?.status === 'False' && ready.reason === requestReasons.pending;
  return isPending && ready.message !== '' ? ready.message : undefined;
}

/** The status of a Certificate that waits for its next try. */
export function backOffStatus(
  state: CertificateState,
  violation: Violation | undefined,
  nowMs: number,
): CertificateStatus {
  const status = state.certificate.status ?? {};
  return {
    ...status,
    conditions: withCondition(status.conditions, readyCondition(state, violation, nowMs)),
  };
}

/** The status after a failure of the try that is under way. */
export function failedStatus(
  state: CertificateState,
  failure: Failure,
  attempt: number | undefined,
  violation: Violation | undefined,
  nowMs: number,
): CertificateStatus {
  const { certificate } = state;
  const { nextPrivateKeySecretName: _over, ...status } = certificate.status ?? {};
  const conditions = withCondition(status.conditions, readyCondition(state, violation, nowMs));
  return {
    ...status,
    lastFailureTime: rfc3339(failure.atMs),
    failedIssuanceAttempts: Math.max(attemptOf(certificate), attempt ?? 1),
    conditions: withCondition(conditions, condition(certificate, nowMs, 'Issuing', 'False', failure)),
  };
}

/** The status of a Certificate for which nothing can be done. */
export function refusedStatus(
  { certificate }: CertificateState,
  refusal: Violation,
  nowMs: number,
): CertificateStatus {
  const status = certificate.status ?? {};
  const refused = condition(certificate, nowMs, 'Ready', 'False', refusal);
  return { ...status, conditions: withCondition(status.conditions, refused) };
}
