import type {
  CertificateRequest,
  CertificateRequestStatus,
} from '../../api/cert-manager/certificate-request.ts';
import { type Condition, hasCondition, withCondition } from '../../api/condition.ts';
import { approvedReason, conditionTypes, requestReasons } from '../../api/reasons.ts';
import { rfc3339 } from '../../core/clock.ts';

/** The conditions of a request that is approved here. One that was approved before keeps its approval as it is. */
export function approvedConditions(request: CertificateRequest, nowMs: number): Condition[] {
  const conditions = request.status?.conditions ?? [];
  if (hasCondition(conditions, conditionTypes.approved)) return conditions;
  return withCondition(conditions, {
    type: conditionTypes.approved,
    status: 'True',
    reason: approvedReason,
    message: 'Approved by Postern: its approver is on, and no one has denied the request.',
    lastTransitionTime: rfc3339(nowMs),
  });
}

/** The conditions of a request that waits. */
export function pendingConditions(
  request: CertificateRequest,
  message: string,
  approves: boolean,
  nowMs: number,
): Condition[] {
  return withReady(request, 'False', requestReasons.pending, message, approves, nowMs);
}

/** The status of a request that is refused for good. */
export function failedStatus(
  request: CertificateRequest,
  reason: string,
  message: string,
  approves: boolean,
  nowMs: number,
): CertificateRequestStatus {
  return {
    ...request.status,
    conditions: withReady(request, 'False', reason, message, approves, nowMs),
    failureTime: rfc3339(nowMs),
  };
}

/** The status of a request that is signed: its approval, where it was not said before, goes with the same write. */
export function issuedStatus(
  request: CertificateRequest,
  signed: { readonly chain: string; readonly ca: string | undefined },
  approves: boolean,
  nowMs: number,
): CertificateRequestStatus {
  const message = 'The certificate has been signed.';
  return {
    ...request.status,
    conditions: withReady(request, 'True', requestReasons.issued, message, approves, nowMs),
    certificate: Buffer.from(signed.chain).toString('base64'),
    ...(signed.ca !== undefined && { ca: Buffer.from(signed.ca).toString('base64') }),
  };
}

function withReady(
  request: CertificateRequest,
  status: Condition['status'],
  reason: string,
  message: string,
  approves: boolean,
  nowMs: number,
): Condition[] {
  const conditions = approves ? approvedConditions(request, nowMs) : request.status?.conditions;
  const lastTransitionTime = rfc3339(nowMs);
  return withCondition(conditions, {
    type: conditionTypes.ready,
    status,
    reason,
    message,
    lastTransitionTime,
  });
}
