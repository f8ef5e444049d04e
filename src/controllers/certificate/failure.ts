import type { Certificate } from '../../api/cert-manager/certificate.ts';
import type { CertificateRequest } from '../../api/cert-manager/certificate-request.ts';
import { findCondition } from '../../api/condition.ts';
import { conditionTypes, requestReasons } from '../../api/reasons.ts';
import { quoted } from '../../issuers/sentence.ts';

/** On a CertificateRequest: the number of the try at its revision that it belongs to, counted from 1. */
export const attemptAnnotation = 'postern.dev/attempt';

/** An issuance that has failed, as its request tells it. */
export interface Failure {
  readonly reason: string;
  readonly message: string;
  readonly atMs: number;
}

/** What the issuer said, where it said no. */
export function failureOf(request: CertificateRequest, nowMs: number): Failure | undefined {
  const conditions = request.status?.conditions;
  const ready = findCondition(conditions, conditionTypes.ready);
  const denied = findCondition(conditions, conditionTypes.denied);
  const invalid = findCondition(conditions, conditionTypes.invalidRequest);
  const isDenied = denied?.status === 'True' || ready?.reason === requestReasons.denied;
  const isFailed = ready?.status === 'False' && ready.reason === requestReasons.failed;
  if (!isDenied && !isFailed && invalid?.status !== 'True') return undefined;
  const said = (isDenied ? denied?.message : undefined) ?? ready?.message ?? invalid?.message;
  const at = request.status?.failureTime ?? ready?.lastTransitionTime ?? denied?.lastTransitionTime;
  return {
    reason: isDenied ? requestReasons.denied : requestReasons.failed,
    message: said ?? 'the issuer gave no reason',
    atMs: plausible(at, request, nowMs),
  };
}

/** The failure of a request that says it is Ready and has no certificate for its key. */
export function brokenPromise(request: CertificateRequest, nowMs: number): Failure {
  const ready = findCondition(request.status?.conditions, conditionTypes.ready);
  return {
    reason: requestReasons.failed,
    message: `CertificateRequest ${quoted(request.metadata.name)} says it is Ready, but its certificate is missing, damaged, or made for another key`,
    atMs: plausible(ready?.lastTransitionTime, request, nowMs),
  };
}

/** Whether the status of the Certificate knows already that this request has failed. */
export function isRecorded({ status }: Certificate, request: CertificateRequest): boolean {
  const attempt = attemptIn(request);
  if (attempt !== undefined) return (status?.failedIssuanceAttempts ?? 0) >= attempt;
  // Made by another program: its failure comes after it was made, and the status keeps the last one.
  const { lastFailureTime } = status ?? {};
  return (
    lastFailureTime !== undefined && timeOf(lastFailureTime) >= timeOf(request.metadata.creationTimestamp)
  );
}

/** The try that a request belongs to; undefined where the request is not of our making. */
export function attemptIn({ metadata }: CertificateRequest): number | undefined {
  const attempt = Number(metadata.annotations?.[attemptAnnotation]);
  return Number.isInteger(attempt) && attempt > 0 ? attempt : undefined;
}

/** A timestamp in milliseconds since the epoch; 0 where there is none. */
export function timeOf(timestamp: string | undefined): number {
  const ms = Date.parse(timestamp ?? '');
  return Number.isNaN(ms) ? 0 : ms;
}

/** Another's clock may be wrong: a request fails after it was made, and not in the future. */
function plausible(timestamp: string | undefined, { metadata }: CertificateRequest, nowMs: number): number {
  return Math.min(nowMs, Math.max(timeOf(metadata.creationTimestamp), timeOf(timestamp)));
}
