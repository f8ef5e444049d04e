import { certificates } from '../../api/cert-manager/certificate.ts';
import { findCondition } from '../../api/condition.ts';
import { keyOf } from '../../api/meta.ts';
import { certificateEvents, conditionTypes, writeRefused } from '../../api/reasons.ts';
import { ended } from '../../issuers/sentence.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import { progressGraceMs } from '../patience.ts';
import { writeStatus } from '../write-status.ts';
import { issuanceViolation, type Violation } from './checks.ts';
import { type CertificateDecision, isAskedFor, whyIssued } from './decide.ts';
import { attemptIn } from './failure.ts';
import { failedRounds, issuerOfAttempt, issuerText } from './issuer-turn.ts';
import { passwordViolation } from './keystore-passwords.ts';
import type { CertificateState } from './state.ts';
import { backOffStatus, failedStatus, issuingStatus, refusedStatus } from './status.ts';
import type { CertificateWork } from './work.ts';

/** Says why nothing can be done. `againAfterMs`: where what is in the way may go without a change that is watched. */
export async function tellRefusal(
  { context, patience }: CertificateWork,
  state: CertificateState,
  refusal: Violation,
  againAfterMs?: number,
): Promise<ReconcileResult> {
  const { certificate } = state;
  const { reason, message } = refusal;
  patience.forget(keyOf(certificate));
  const status = refusedStatus(state, { reason, message }, context.clock.now());
  if (await writeStatus(context.api, certificates, certificate, status))
    context.events.warning(certificate, reason, message);
  return againAfterMs === undefined ? {} : { requeueAfterMs: againAfterMs };
}

/** Warns, once, that keystores have no password. The status says so too, but knows of it by itself. */
export function tellPasswords(
  { context }: CertificateWork,
  { certificate, passwords }: CertificateState,
): void {
  const violation = passwordViolation(passwords);
  const before = findCondition(certificate.status?.conditions, conditionTypes.ready);
  if (violation === undefined || before?.message === violation.message) return;
  context.events.warning(certificate, violation.reason, violation.message);
}

/** Says what is wrong with the Secret while the next try waits. */
export async function tellBackOff(
  { context, patience }: CertificateWork,
  state: CertificateState,
  { untilMs, violation }: CertificateDecision & { kind: 'back-off' },
): Promise<ReconcileResult> {
  const nowMs = context.clock.now();
  patience.forget(keyOf(state.certificate));
  await writeStatus(context.api, certificates, state.certificate, backOffStatus(state, violation, nowMs));
  return { requeueAfterMs: untilMs - nowMs };
}

/** Says that a certificate is being issued, once that has taken a while, or the request has said what it waits for. */
export async function tellIssuing(
  { context, patience }: CertificateWork,
  state: CertificateState,
  { request, violation, why }: CertificateDecision & { kind: 'wait' },
): Promise<ReconcileResult> {
  const { certificate } = state;
  const hasSaid = findCondition(request.status?.conditions, conditionTypes.ready) !== undefined;
  const graceMs = hasSaid ? undefined : progressGraceMs;
  const leftMs = patience.leftMs(keyOf(certificate), request.metadata.uid ?? '', graceMs);
  if (leftMs > 0) return { requeueAfterMs: leftMs };
  const status = issuingStatus(state, violation, why, context.clock.now());
  await writeStatus(context.api, certificates, certificate, status);
  return {};
}

/** Says that a write is refused; where that is in the way of a certificate, the conditions say so too. */
export async function tellRefusedWrite(
  { context }: CertificateWork,
  state: CertificateState,
  message: string,
): Promise<void> {
  const { certificate, nextRequest } = state;
  context.events.warning(certificate, writeRefused, message);
  const nowMs = context.clock.now();
  const violation = issuanceViolation(state, nowMs);
  if (violation === undefined && nextRequest === undefined && !isAskedFor(state)) return;
  const status = issuingStatus(state, violation, whyIssued(state, violation), nowMs, message);
  await writeStatus(context.api, certificates, certificate, status);
}

/** Records, once, that an issuance has failed. */
export async function tellFailure(
  { context }: CertificateWork,
  state: CertificateState,
  { failure, violation }: CertificateDecision & { kind: 'fail' },
): Promise<'again'> {
  const { certificate, nextRequest } = state;
  const nowMs = context.clock.now();
  const message = `The certificate request has failed: ${ended(failure.message)}`;
  const attempt = nextRequest && attemptIn(nextRequest);
  const status = failedStatus(state, { ...failure, message }, attempt, violation, nowMs);
  await writeStatus(context.api, certificates, certificate, status);
  context.events.warning(certificate, certificateEvents.failed, message);
  const failed = status.failedIssuanceAttempts ?? 1;
  if (failedRounds(certificate, failed) === undefined) {
    const next = issuerText(issuerOfAttempt(certificate, failed + 1));
    const { fallback } = certificateEvents;
    context.events.normal(certificate, fallback, `The next issuer is tried: ${next}.`);
  }
  return 'again';
}
