import type { Certificate, CertificateStatus } from '../../api/cert-manager/certificate.ts';
import { type Condition, withCondition, withoutCondition } from '../../api/condition.ts';
import { certificateReadyReasons, conditionTypes, issuanceReasons } from '../../api/reasons.ts';
import { rfc3339 } from '../../core/clock.ts';
import { leafOf, renewalTimeOf, type Violation } from './checks.ts';
import { type CertificateState, revisionOf } from './state.ts';

/** The Ready condition of a Certificate whose Secret has this violation, or none. */
export function readyCondition(
  state: CertificateState,
  violation: Violation | undefined,
  nowMs: number,
): Condition {
  // A certificate that is being renewed is good until it expires.
  if (violation === undefined || violation.reason === issuanceReasons.renewing) {
    const { notAfterMs } = leafOf(state);
    if (nowMs >= notAfterMs) {
      return condition(
        state,
        nowMs,
        'Ready',
        'False',
        certificateReadyReasons.expired,
        `The certificate expired at ${rfc3339(notAfterMs)}.`,
      );
    }
    return condition(
      state,
      nowMs,
      'Ready',
      'True',
      certificateReadyReasons.ready,
      `The certificate is up to date and valid until ${rfc3339(notAfterMs)}.`,
    );
  }
  return condition(state, nowMs, 'Ready', 'False', violation.reason, violation.message);
}

/** A condition of this Certificate as of now. */
export function condition(
  state: CertificateState,
  nowMs: number,
  type: 'Ready' | 'Issuing',
  status: Condition['status'],
  reason: string,
  message: string,
): Condition {
  return {
    type,
    status,
    reason,
    message,
    lastTransitionTime: rfc3339(nowMs),
    observedGeneration: state.certificate.metadata.generation,
  };
}

/** The facts about the certificate in the Secret, for the status. */
export function validity(
  state: CertificateState,
): Pick<CertificateStatus, 'notBefore' | 'notAfter' | 'renewalTime'> {
  const leaf = leafOf(state);
  return {
    notBefore: rfc3339(leaf.notBeforeMs),
    notAfter: rfc3339(leaf.notAfterMs),
    renewalTime: rfc3339(renewalTimeOf(state)),
  };
}

/** The status after a success: the new revision, and nothing left of failures and of the issuance. */
export function issuedStatus(state: CertificateState, nowMs: number): CertificateStatus {
  const {
    nextPrivateKeySecretName: _key,
    lastFailureTime: _time,
    failedIssuanceAttempts: _attempts,
    ...kept
  } = state.certificate.status ?? {};
  const conditions = withoutCondition(kept.conditions, conditionTypes.issuing);
  return {
    ...kept,
    ...validity(state),
    revision: revisionOf(state.certificate) + 1,
    conditions: withCondition(conditions, readyCondition(state, undefined, nowMs)),
  };
}

/** The status after a failure that the issuer reported at `atMs`. */
export function failedStatus(
  state: CertificateState,
  failure: Violation & { readonly atMs: number },
  violation: Violation | undefined,
  nowMs: number,
): CertificateStatus {
  const status = state.certificate.status ?? {};
  const issuing = condition(state, nowMs, 'Issuing', 'False', failure.reason, failure.message);
  const conditions = withCondition(status.conditions, readyCondition(state, violation, nowMs));
  return {
    ...status,
    lastFailureTime: rfc3339(Math.max(failure.atMs, 1)),
    failedIssuanceAttempts: (status.failedIssuanceAttempts ?? 0) + 1,
    conditions: withCondition(conditions, issuing),
  };
}

/** A Certificate with another status. */
export function withStatus(certificate: Certificate, status: CertificateStatus): Certificate {
  return { ...certificate, status };
}
