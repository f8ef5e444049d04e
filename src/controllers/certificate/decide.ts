import type { KeyObject } from 'node:crypto';
import type { Certificate } from '../../api/cert-manager/certificate.ts';
import type { CertificateRequest } from '../../api/cert-manager/certificate-request.ts';
import { certificateProblems } from '../../api/cert-manager/certificate-validation.ts';
import { sameIssuer } from '../../api/cert-manager/issuer-ref.ts';
import { findCondition, hasCondition } from '../../api/condition.ts';
import { tlsPrivateKeyKey } from '../../api/kubernetes/secret.ts';
import { problemsText } from '../../api/problem.ts';
import { certificateReadyReasons, conditionTypes, requestReasons } from '../../api/reasons.ts';
import { backoffDelayMs } from '../../core/backoff.ts';
import { parseCertificate } from '../../pki/certificate.ts';
import { parseCsr } from '../../pki/csr.ts';
import { csrMismatch } from '../../pki/csr-match.ts';
import { keySpecMismatch, parsePrivateKey, samePublicKey } from '../../pki/private-key.ts';
import { issuanceViolation, type Violation } from './checks.ts';
import { type CertificateState, secretValue } from './state.ts';
import { wantedContent, wantedKey } from './wanted.ts';

/*
 *            nothing to do                      failure recorded, time not up
 *   +--> Ready <----------------+      +-> back off --(time, new spec, renew)--+
 *   |      | violation, renew   |      |                                       v
 *   |      v                    |    fail                                   restart
 *   |   make-key -> make-request -> wait ----------------------------------> (request and key go)
 *   |                            \     | request no longer fits the spec       |
 *   +---------- complete <--------+    +------------> restart                  +-> make-key
 */

/** The next step for one Certificate. */
export type CertificateDecision =
  /** The spec cannot be honoured, or another Certificate owns the Secret; nothing happens until that changes. */
  | { readonly kind: 'stop'; readonly reason: string; readonly message: string }
  /** The Secret holds what the spec asks for. */
  | { readonly kind: 'ready' }
  /** An issuance failed; the next try is due at `untilMs`. `violation` is why one is needed. */
  | { readonly kind: 'back-off'; readonly untilMs: number; readonly violation: Violation }
  /** A private key is to be made, and kept, before anything is asked for with it. */
  | { readonly kind: 'make-key'; readonly why: string }
  /** The key is there; the request is to be made with it. */
  | { readonly kind: 'make-request'; readonly key: KeyObject }
  /** What was begun does not fit any more: the request goes, and the key with it where `dropKey`. */
  | { readonly kind: 'restart'; readonly why: string; readonly dropKey: boolean }
  /** The issuer has it in hand. */
  | { readonly kind: 'wait'; readonly request: CertificateRequest; readonly violation: Violation }
  /** The issuer said no; to be recorded once. */
  | { readonly kind: 'fail'; readonly reason: string; readonly message: string; readonly atMs: number }
  /** The signed chain is there and fits the key: the Secret is to be written. */
  | { readonly kind: 'complete'; readonly request: CertificateRequest; readonly key: KeyObject };

/** After a failure the next try waits 1 h, doubled for each further failure, 32 h at most. */
const failureBackoff = { baseMs: 3_600_000, capMs: 32 * 3_600_000 };

/** Decides the next step. Pure: the same state at the same time gives the same step. */
export function decideCertificate(state: CertificateState, nowMs: number): CertificateDecision {
  const { certificate, rival, nextRequest } = state;
  const problems = certificateProblems(certificate);
  if (problems.length > 0) {
    return {
      kind: 'stop',
      reason: certificateReadyReasons.invalidSpec,
      message: problemsText(problems),
    };
  }
  if (rival !== undefined) {
    return {
      kind: 'stop',
      reason: certificateReadyReasons.duplicateSecretName,
      message: `spec.secretName ${JSON.stringify(certificate.spec.secretName)} is already used by Certificate ${JSON.stringify(rival.metadata.name)}; give each Certificate a Secret of its own.`,
    };
  }

  const failure = nextRequest && failureOf(nextRequest);
  if (failure !== undefined) {
    return isRecorded(certificate, failure.atMs) ? afterFailure(state, nowMs) : { kind: 'fail', ...failure };
  }
  const violation = issuanceViolation(state, nowMs);
  const askedFor = hasCondition(certificate.status?.conditions, conditionTypes.issuing);
  if (violation === undefined && !askedFor && nextRequest === undefined && state.nextKey === undefined) {
    return { kind: 'ready' };
  }
  return issue(state, violation ?? renewalAskedFor(certificate));
}

/** The steps of one issuance, each resting on what the one before has stored. */
function issue(state: CertificateState, violation: Violation): CertificateDecision {
  const { certificate, nextKey, nextRequest } = state;
  if (nextKey === undefined) {
    // A request whose key is lost can never be completed.
    return nextRequest === undefined
      ? { kind: 'make-key', why: violation.message }
      : { kind: 'restart', why: 'The private key of the request is gone.', dropKey: false };
  }
  const key = keyIn(nextKey);
  if (key === undefined) return { kind: 'restart', why: 'The stored private key is damaged.', dropKey: true };
  const keyMismatch = keySpecMismatch(key, wantedKey(certificate));
  if (keyMismatch !== undefined)
    return { kind: 'restart', why: `The spec has changed: ${keyMismatch}.`, dropKey: true };
  if (nextRequest === undefined) return { kind: 'make-request', key };

  const mismatch = requestMismatch(nextRequest, certificate, key);
  if (mismatch !== undefined) return { kind: 'restart', why: mismatch, dropKey: false };
  if (!hasCondition(nextRequest.status?.conditions, conditionTypes.ready)) {
    return { kind: 'wait', request: nextRequest, violation };
  }
  return signedFor(nextRequest, key)
    ? { kind: 'complete', request: nextRequest, key }
    : {
        kind: 'fail',
        reason: requestReasons.failed,
        message: `CertificateRequest ${JSON.stringify(nextRequest.metadata.name)} says it is Ready, but its certificate is missing, damaged, or made for another key.`,
        atMs: timeOf(findCondition(nextRequest.status?.conditions, conditionTypes.ready)?.lastTransitionTime),
      };
}

function afterFailure(state: CertificateState, nowMs: number): CertificateDecision {
  const { certificate, nextRequest } = state;
  const askedFor = hasCondition(certificate.status?.conditions, conditionTypes.issuing);
  const violation = issuanceViolation(state, nowMs);
  if (violation === undefined && !askedFor) return { kind: 'ready' };
  const attempts = certificate.status?.failedIssuanceAttempts ?? 1;
  const untilMs = timeOf(certificate.status?.lastFailureTime) + backoffDelayMs(failureBackoff, attempts);
  const specChanged = nextRequest !== undefined && requestMismatch(nextRequest, certificate) !== undefined;
  if (askedFor || specChanged || nowMs >= untilMs) {
    return { kind: 'restart', why: 'The last issuance failed; trying again.', dropKey: true };
  }
  return { kind: 'back-off', untilMs, violation: violation ?? renewalAskedFor(certificate) };
}

/** What the issuer said, where it said no. */
function failureOf(
  request: CertificateRequest,
): { reason: string; message: string; atMs: number } | undefined {
  const conditions = request.status?.conditions;
  const ready = findCondition(conditions, conditionTypes.ready);
  const denied = findCondition(conditions, conditionTypes.denied);
  const invalid = findCondition(conditions, conditionTypes.invalidRequest);
  const isDenied = denied?.status === 'True' || ready?.reason === requestReasons.denied;
  const isFailed = ready?.status === 'False' && ready.reason === requestReasons.failed;
  if (!isDenied && !isFailed && invalid?.status !== 'True') return undefined;
  const reason = isDenied ? requestReasons.denied : requestReasons.failed;
  const said = (isDenied ? denied?.message : undefined) ?? ready?.message ?? invalid?.message ?? '';
  const at = request.status?.failureTime ?? ready?.lastTransitionTime ?? denied?.lastTransitionTime;
  return { reason, message: said, atMs: timeOf(at) };
}

function isRecorded(certificate: Certificate, failureMs: number): boolean {
  const { lastFailureTime } = certificate.status ?? {};
  return lastFailureTime !== undefined && timeOf(lastFailureTime) >= failureMs;
}

/** Why a request is not the one that would be made now; with `key` given, made with that key. */
function requestMismatch(
  request: CertificateRequest,
  certificate: Certificate,
  key?: KeyObject,
): string | undefined {
  const name = JSON.stringify(request.metadata.name);
  if (!sameIssuer(request.spec.issuerRef, certificate.spec.issuerRef)) {
    return `spec.issuerRef has changed since CertificateRequest ${name} was made.`;
  }
  if ((request.spec.duration ?? '') !== (certificate.spec.duration ?? '')) {
    return `spec.duration has changed since CertificateRequest ${name} was made.`;
  }
  try {
    const csr = parseCsr(Buffer.from(request.spec.request, 'base64').toString());
    const fields = csrMismatch(csr, wantedContent(certificate));
    if (fields.length > 0)
      return `The spec has changed since CertificateRequest ${name} was made: ${fields.join(', ')}.`;
    if (key !== undefined && !samePublicKey(csr.publicKey, key)) {
      return `CertificateRequest ${name} was made with another private key.`;
    }
    return undefined;
  } catch {
    return `CertificateRequest ${name} holds no valid CSR.`;
  }
}

function signedFor(request: CertificateRequest, key: KeyObject): boolean {
  try {
    const pem = Buffer.from(request.status?.certificate ?? '', 'base64').toString();
    return samePublicKey(parseCertificate(pem).publicKey, key);
  } catch {
    return false;
  }
}

function keyIn(secret: NonNullable<CertificateState['nextKey']>): KeyObject | undefined {
  try {
    return parsePrivateKey(secretValue(secret, tlsPrivateKeyKey) ?? '');
  } catch {
    return undefined;
  }
}

/** A renewal by hand: `cmctl renew` sets the Issuing condition; its reason and message are passed on. */
function renewalAskedFor(certificate: Certificate): Violation {
  const issuing = findCondition(certificate.status?.conditions, conditionTypes.issuing);
  return { reason: issuing?.reason ?? '', message: issuing?.message ?? 'The issuance was begun earlier.' };
}

function timeOf(timestamp: string | undefined): number {
  const ms = Date.parse(timestamp ?? '');
  return Number.isNaN(ms) ? 0 : ms;
}
