import {
  certificateNameAnnotation,
  issuerGroupAnnotation,
  issuerKindAnnotation,
  issuerNameAnnotation,
} from '../../api/annotations.ts';
import { renewalTimeMs } from '../../api/cert-manager/certificate-times.ts';
import { issuerRefOf } from '../../api/cert-manager/issuer-ref.ts';
import { tlsCertificateKey, tlsPrivateKeyKey } from '../../api/kubernetes/secret.ts';
import { issuanceReasons } from '../../api/reasons.ts';
import { rfc3339 } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { type CertificateInfo, parseCertificate } from '../../pki/certificate.ts';
import { type CsrInfo, parseCsr } from '../../pki/csr.ts';
import { certificateMismatch, csrMismatch } from '../../pki/csr-match.ts';
import { keyFitsCertificate } from '../../pki/key-pair.ts';
import { keySpecMismatch, parsePrivateKey, samePublicKey } from '../../pki/private-key.ts';
import { type CertificateState, secretValue } from './state.ts';
import { isTemporary } from './temporary.ts';
import { wantedContent, wantedKey } from './wanted.ts';

/** Why a Certificate is to be issued: the reason for machines, the sentence for people. */
export interface Violation {
  readonly reason: string;
  readonly message: string;
}

/** What the checks look at: the state, and what was parsed of it on the way. */
interface CheckInput {
  readonly state: CertificateState;
  readonly nowMs: number;
}

type Check = (input: CheckInput) => Violation | undefined;

/**
 * The chain of checks that a Certificate passes when nothing needs to be issued. The first violation wins.
 * Each check may rely on those before it.
 */
const checks: readonly Check[] = [
  secretExists,
  secretHasData,
  keyFits,
  notTemporary,
  issuerIsRight,
  certificateNameIsRight,
  keyFitsSpec,
  keyFitsRequest,
  requestFitsSpec,
  certificateFitsSpec,
  notDueForRenewal,
];

/** The reason to issue, or undefined where all is well. */
export function issuanceViolation(state: CertificateState, nowMs: number): Violation | undefined {
  for (const check of checks) {
    const violation = check({ state, nowMs });
    if (violation !== undefined) return violation;
  }
  return undefined;
}

/** Nothing can be served without a Secret. */
function secretExists({ state: { secret, certificate } }: CheckInput): Violation | undefined {
  if (secret !== undefined) return undefined;
  return {
    reason: issuanceReasons.doesNotExist,
    message: `Secret ${JSON.stringify(certificate.spec.secretName)} does not exist yet.`,
  };
}

/** Both halves of the pair must be there. */
function secretHasData({ state }: CheckInput): Violation | undefined {
  const missing = [tlsPrivateKeyKey, tlsCertificateKey].filter(name => valueOf(state, name) === undefined);
  if (missing.length === 0) return undefined;
  return {
    reason: issuanceReasons.missingData,
    message: `Secret ${JSON.stringify(state.certificate.spec.secretName)} has no ${missing.join(' and no ')}.`,
  };
}

/** The key must be the certificate's own. */
function keyFits({ state }: CheckInput): Violation | undefined {
  const fit = keyFitsCertificate(textOf(state, tlsPrivateKeyKey), textOf(state, tlsCertificateKey));
  if (fit.verdict === 'fits') return undefined;
  const reason =
    fit.verdict === 'certificate-invalid'
      ? issuanceReasons.invalidCertificate
      : issuanceReasons.invalidKeyPair;
  return {
    reason,
    message: `Secret ${JSON.stringify(state.certificate.spec.secretName)} holds no usable pair: ${fit.reason}`,
  };
}

/** A temporary certificate stands there only until the signed one comes. */
function notTemporary({ state }: CheckInput): Violation | undefined {
  if (!isTemporary(leafOf(state))) return undefined;
  return {
    reason: issuanceReasons.doesNotExist,
    message: `Secret ${JSON.stringify(state.certificate.spec.secretName)} holds a temporary self-signed certificate.`,
  };
}

/** What another issuer signed is not what was asked for. */
function issuerIsRight({ state }: CheckInput): Violation | undefined {
  const wanted = issuerRefOf(state.certificate.spec.issuerRef);
  const annotations = state.secret?.metadata.annotations ?? {};
  const found = {
    name: annotations[issuerNameAnnotation] ?? '',
    kind: annotations[issuerKindAnnotation] || 'Issuer',
    group: annotations[issuerGroupAnnotation] || 'cert-manager.io',
  };
  if (found.name === wanted.name && found.kind === wanted.kind && found.group === wanted.group)
    return undefined;
  return {
    reason: issuanceReasons.incorrectIssuer,
    message: `The certificate was ${found.name === '' ? 'not issued by Postern' : `issued by ${found.kind} ${JSON.stringify(found.name)} (${found.group})`}; the spec asks for ${wanted.kind} ${JSON.stringify(wanted.name)} (${wanted.group}).`,
  };
}

/** The Secret of another Certificate is not this one's. */
function certificateNameIsRight({ state }: CheckInput): Violation | undefined {
  const found = state.secret?.metadata.annotations?.[certificateNameAnnotation];
  if (found === undefined || found === state.certificate.metadata.name) return undefined;
  return {
    reason: issuanceReasons.incorrectCertificate,
    message: `The Secret was issued for Certificate ${JSON.stringify(found)}.`,
  };
}

/** The key's type and size must be as asked. */
function keyFitsSpec({ state }: CheckInput): Violation | undefined {
  const key = parsePrivateKey(textOf(state, tlsPrivateKeyKey));
  const mismatch = keySpecMismatch(key, wantedKey(state.certificate));
  if (mismatch === undefined) return undefined;
  return {
    reason: issuanceReasons.secretMismatch,
    message: `The private key is not as spec.privateKey asks: ${mismatch}`,
  };
}

/** The key in the Secret must be the one that the present request was made with. */
function keyFitsRequest({ state }: CheckInput): Violation | undefined {
  const csr = currentCsr(state);
  if (csr === undefined) return undefined;
  if ('reason' in csr) return csr;
  if (samePublicKey(csr.publicKey, leafOf(state).publicKey)) return undefined;
  return {
    reason: issuanceReasons.secretMismatch,
    message: `The private key in the Secret is not the one of CertificateRequest ${JSON.stringify(state.currentRequest?.metadata.name)}.`,
  };
}

/** The present request must still ask for what the spec asks for. */
function requestFitsSpec({ state }: CheckInput): Violation | undefined {
  const csr = currentCsr(state);
  if (csr === undefined || 'reason' in csr) return undefined;
  const fields = csrMismatch(csr, wantedContent(state.certificate));
  return fields.length === 0 ? undefined : changed(fields);
}

/** With no request left, the certificate itself is compared. */
function certificateFitsSpec({ state }: CheckInput): Violation | undefined {
  if (state.currentRequest !== undefined) return undefined;
  const fields = certificateMismatch(leafOf(state), wantedContent(state.certificate));
  return fields.length === 0 ? undefined : changed(fields);
}

/** A certificate is renewed well before it expires. */
function notDueForRenewal({ state, nowMs }: CheckInput): Violation | undefined {
  const renewalMs = renewalTimeOf(state);
  if (nowMs < renewalMs) return undefined;
  return {
    reason: issuanceReasons.renewing,
    message: `The certificate was due for renewal at ${rfc3339(renewalMs)}.`,
  };
}

/** When the certificate in the Secret is due for renewal. */
export function renewalTimeOf(state: CertificateState): number {
  const leaf = leafOf(state);
  return renewalTimeMs({
    notBeforeMs: leaf.notBeforeMs,
    notAfterMs: leaf.notAfterMs,
    renewBefore: state.certificate.spec.renewBefore,
    renewBeforePercentage: state.certificate.spec.renewBeforePercentage,
  });
}

/** The certificate in the Secret. Throws a PkiError where there is none that parses. */
export function leafOf(state: CertificateState): CertificateInfo {
  return parseCertificate(textOf(state, tlsCertificateKey));
}

function changed(fields: readonly string[]): Violation {
  return {
    reason: issuanceReasons.requestChanged,
    message: `These fields of the spec have changed since the certificate was issued: ${fields.join(', ')}.`,
  };
}

/** The CSR of the present request; a violation where it does not parse; undefined where there is no request. */
function currentCsr(state: CertificateState): CsrInfo | Violation | undefined {
  if (state.currentRequest === undefined) return undefined;
  try {
    return parseCsr(Buffer.from(state.currentRequest.spec.request, 'base64').toString());
  } catch (error) {
    return {
      reason: issuanceReasons.invalidCertificateRequest,
      message: `CertificateRequest ${JSON.stringify(state.currentRequest.metadata.name)} holds no valid CSR: ${messageOf(error)}`,
    };
  }
}

function valueOf(state: CertificateState, name: string): Buffer | undefined {
  return state.secret && secretValue(state.secret, name);
}

function textOf(state: CertificateState, name: string): string {
  return valueOf(state, name)?.toString() ?? '';
}
