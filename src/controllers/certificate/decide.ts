import type { KeyObject } from 'node:crypto';
import type { Certificate } from '../../api/cert-manager/certificate.ts';
import type { CertificateRequest } from '../../api/cert-manager/certificate-request.ts';
import { certificateProblems } from '../../api/cert-manager/certificate-validation.ts';
import { fallbackProblems } from '../../api/cert-manager/fallback-issuers.ts';
import { findCondition, hasCondition } from '../../api/condition.ts';
import { type Problem, problemsText } from '../../api/problem.ts';
import { certificateReadyReasons, conditionTypes, issuanceReasons } from '../../api/reasons.ts';
import { backoffDelayMs } from '../../core/backoff.ts';
import { ended, quoted } from '../../issuers/sentence.ts';
import { parseCertificate } from '../../pki/certificate.ts';
import { keySpecMismatch, samePublicKey } from '../../pki/private-key.ts';
import { issuanceViolation, type Violation } from './checks.ts';
import { brokenPromise, type Failure, failureOf, isRecorded, timeOf } from './failure.ts';
import { failedRounds, issuerOfRequest } from './issuer-turn.ts';
import { changedFields, csrOf } from './request-match.ts';
import type { CertificateState } from './state.ts';
import { pairIn } from './stored-pair.ts';
import { foreignSecret, immutableSecret, issuersSecret } from './unusable-secret.ts';
import { wantedKey } from './wanted.ts';

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
  /** The spec cannot be honoured, or the Secret is not to be had; nothing happens until that changes. */
  | { readonly kind: 'stop'; readonly reason: string; readonly message: string }
  /** The Secret holds what the spec asks for. */
  | { readonly kind: 'ready' }
  /** An issuance failed; the next try is due at `untilMs`. `violation` is what is wrong with the Secret. */
  | { readonly kind: 'back-off'; readonly untilMs: number; readonly violation: Violation | undefined }
  /** A private key is to be made, and kept, before anything is asked for with it. */
  | { readonly kind: 'make-key'; readonly why: Violation }
  /** The key is there; the request is to be made with it. */
  | { readonly kind: 'make-request'; readonly key: KeyObject; readonly keyName: string }
  /** What was begun does not fit any more: the request goes, and the key with it where `dropKey`. */
  | { readonly kind: 'restart'; readonly dropKey: boolean }
  /** The request is being deleted; its name is free soon. */
  | { readonly kind: 'await-deletion' }
  /** The issuer has it in hand. `why` it is issued; `violation` is what is wrong with the Secret. */
  | {
      readonly kind: 'wait';
      readonly request: CertificateRequest;
      readonly violation: Violation | undefined;
      readonly why: Violation;
    }
  /** The issuer said no; to be recorded once. */
  | { readonly kind: 'fail'; readonly failure: Failure; readonly violation: Violation | undefined }
  /** The signed chain is there and fits the key: the Secret is to be written. */
  | { readonly kind: 'complete'; readonly request: CertificateRequest; readonly key: KeyObject };

/** After a failure of every issuer the next try waits 1 h, doubled for each further round, 32 h at most. */
const failureBackoff = { baseMs: 3_600_000, capMs: 32 * 3_600_000 };

/** Decides the next step. Pure: the same state at the same time gives the same step. */
export function decideCertificate(state: CertificateState, nowMs: number): CertificateDecision {
  const refusal = refusalOf(state);
  if (refusal !== undefined) return { kind: 'stop', ...refusal };

  const { certificate, nextRequest } = state;
  if (nextRequest?.metadata.deletionTimestamp !== undefined) return { kind: 'await-deletion' };
  const violation = issuanceViolation(state, nowMs);
  const failure = nextRequest && failureOf(nextRequest, nowMs);
  if (nextRequest !== undefined && failure !== undefined && !isRecorded(certificate, nextRequest)) {
    // That what is not asked for any more has failed is no failure of what is.
    return requestFits(state) ? { kind: 'fail', failure, violation } : { kind: 'restart', dropKey: true };
  }
  const begun = nextRequest !== undefined && failure === undefined;
  if (violation === undefined && !isAskedFor(state) && !begun) return { kind: 'ready' };
  const unwritable = state.secret && immutableSecret(state.secret);
  if (unwritable !== undefined) return { kind: 'stop', ...unwritable };
  if (!begun) {
    const untilMs = backOffUntil(state);
    if (nowMs < untilMs) return { kind: 'back-off', untilMs, violation };
  }
  if (failure !== undefined) return { kind: 'restart', dropKey: true };
  return issue(state, violation, nowMs);
}

/** What was found before, for as long as the object is the same. */
const knownProblems = new WeakMap<Certificate, readonly Problem[]>();

function problemsOf(certificate: Certificate): readonly Problem[] {
  const known = knownProblems.get(certificate);
  if (known !== undefined) return known;
  const found = [...certificateProblems(certificate), ...fallbackProblems(certificate)];
  // Of an object that cannot change meanwhile alone: those from the caches are frozen.
  if (Object.isFrozen(certificate)) knownProblems.set(certificate, found);
  return found;
}

/** Why nothing can be done for a Certificate. */
function refusalOf(state: CertificateState): Violation | undefined {
  const { certificate, rival, secret } = state;
  const problems = problemsOf(certificate);
  if (problems.length > 0) {
    return { reason: certificateReadyReasons.invalidSpec, message: ended(problemsText(problems)) };
  }
  if (rival !== undefined) {
    return {
      reason: certificateReadyReasons.duplicateSecretName,
      message: `spec.secretName ${quoted(certificate.spec.secretName)} is already used by Certificate ${quoted(rival.metadata.name)}; give each Certificate a Secret of its own.`,
    };
  }
  return (secret && foreignSecret(secret)) ?? issuersSecret(state);
}

/** The steps of one issuance, each resting on what the one before has stored. */
function issue(
  state: CertificateState,
  violation: Violation | undefined,
  nowMs: number,
): CertificateDecision {
  const { certificate, nextKey, nextRequest } = state;
  const why = whyIssued(state, violation);
  if (nextKey === undefined) {
    // A request whose key is lost can never be completed.
    return nextRequest === undefined ? { kind: 'make-key', why } : { kind: 'restart', dropKey: false };
  }
  const key = keyIn(nextKey);
  if (key === undefined || keySpecMismatch(key, wantedKey(certificate)) !== undefined)
    return { kind: 'restart', dropKey: true };
  if (nextRequest === undefined) {
    return { kind: 'make-request', key, keyName: nextKey.metadata.name ?? '' };
  }
  if (!requestFits(state, key)) return { kind: 'restart', dropKey: false };
  if (!hasCondition(nextRequest.status?.conditions, conditionTypes.ready)) {
    return { kind: 'wait', request: nextRequest, violation, why };
  }
  if (signedFor(nextRequest, key)) return { kind: 'complete', request: nextRequest, key };
  if (!isRecorded(certificate, nextRequest))
    return { kind: 'fail', failure: brokenPromise(nextRequest, nowMs), violation };
  const untilMs = backOffUntil(state);
  return nowMs < untilMs ? { kind: 'back-off', untilMs, violation } : { kind: 'restart', dropKey: true };
}

/** A renewal by hand (`cmctl renew`), or an issuance that was begun, stands in the Issuing condition. */
export function isAskedFor({ certificate }: CertificateState): boolean {
  return hasCondition(certificate.status?.conditions, conditionTypes.issuing);
}

/** When the next try is due; 0 where nothing has failed, another issuer has its turn, the spec has changed since, or somebody asks for it. */
function backOffUntil(state: CertificateState): number {
  const { metadata, status } = state.certificate;
  if (status?.lastFailureTime === undefined || isAskedFor(state)) return 0;
  if (state.nextRequest === undefined) {
    const issuing = findCondition(status.conditions, conditionTypes.issuing);
    if (issuing?.observedGeneration !== metadata.generation) return 0;
  } else if (!requestFits(state)) {
    return 0;
  }
  const rounds = failedRounds(state.certificate, status.failedIssuanceAttempts ?? 1);
  // Another issuer is tried at once; the next round of all of them waits.
  return rounds === undefined ? 0 : timeOf(status.lastFailureTime) + backoffDelayMs(failureBackoff, rounds);
}

/** Whether the request of the issuance under way is the one that would be made now; with `key` given, with that key. */
function requestFits({ certificate, nextRequest }: CertificateState, key?: KeyObject): boolean {
  if (nextRequest === undefined) return false;
  try {
    const csr = csrOf(nextRequest);
    const issuer = issuerOfRequest(certificate, nextRequest);
    if (changedFields(nextRequest, csr, certificate, [issuer]).length > 0) return false;
    return key === undefined || samePublicKey(csr.publicKey, key);
  } catch {
    return false;
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
    return pairIn(secret).key;
  } catch {
    return undefined;
  }
}

/**
 * Why a certificate is issued: the violation, or what the Issuing condition says: of `cmctl renew`, or of an issuance whose
 * cause is gone.
 */
export function whyIssued({ certificate }: CertificateState, violation: Violation | undefined): Violation {
  if (violation !== undefined) return violation;
  const issuing = findCondition(certificate.status?.conditions, conditionTypes.issuing);
  return {
    reason: issuing?.reason ?? issuanceReasons.manuallyTriggered,
    message: issuing?.message ?? 'The issuance was begun earlier.',
  };
}
