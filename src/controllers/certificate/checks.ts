import { certificateNameAnnotation, certificateRevisionAnnotation } from '../../api/annotations.ts';
import type { Certificate } from '../../api/cert-manager/certificate.ts';
import { issuersOf } from '../../api/cert-manager/fallback-issuers.ts';
import { sameIssuer } from '../../api/cert-manager/issuer-ref.ts';
import { findCondition } from '../../api/condition.ts';
import { tlsCertificateKey, tlsPrivateKeyKey } from '../../api/kubernetes/secret.ts';
import { conditionTypes, issuanceReasons } from '../../api/reasons.ts';
import { rfc3339 } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { ended, quoted } from '../../issuers/sentence.ts';
import { publicKeyInfoIn } from '../../pki/certificate-key.ts';
import type { CsrInfo } from '../../pki/csr.ts';
import { certificateMismatch } from '../../pki/csr-match.ts';
import { keySpecMismatch, samePublicKey } from '../../pki/private-key.ts';
import { issuerText, signerOf } from './issuer-turn.ts';
import { type RenewalTime, renewalTimeOf } from './renewal-time.ts';
import { changedFields, csrOf } from './request-match.ts';
import type { CertificateState } from './state.ts';
import type { StoredPair } from './stored-pair.ts';
import { isTemporary } from './temporary.ts';
import { wantedContent, wantedKey } from './wanted.ts';

/** Why a Certificate is to be issued: the reason for machines, the sentence for people. */
export interface Violation {
  readonly reason: string;
  readonly message: string;
}

/** What the checks look at. What costs work is done once, when the first of them asks for it. */
interface CheckInput {
  readonly state: CertificateState;
  readonly certificate: Certificate;
  /** The Secret's name, for messages. */
  readonly name: string;
  readonly nowMs: number;
  /** The CSR of the present request; a violation where it does not parse; undefined where there is no request. */
  readonly csr: () => CsrInfo | Violation | undefined;
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
  const { certificate } = state;
  let csr: { readonly read: CsrInfo | Violation | undefined } | undefined;
  const input: CheckInput = {
    state,
    certificate,
    name: quoted(certificate.spec.secretName),
    nowMs,
    csr: () => (csr ??= { read: currentCsr(state) }).read,
  };
  for (const check of checks) {
    const violation = check(input);
    if (violation !== undefined) return violation;
  }
  return undefined;
}

/** Nothing can be served without a Secret. */
function secretExists({ state, name }: CheckInput): Violation | undefined {
  if (state.secret !== undefined) return undefined;
  return { reason: issuanceReasons.doesNotExist, message: `Secret ${name} does not exist yet.` };
}

/** Both halves of the pair must be there. */
function secretHasData({ state: { pair }, name }: CheckInput): Violation | undefined {
  const missing = [
    ...(pair?.privateKey === undefined ? [tlsPrivateKeyKey] : []),
    ...(pair?.chain === undefined ? [tlsCertificateKey] : []),
  ];
  if (missing.length === 0) return undefined;
  return {
    reason: issuanceReasons.missingData,
    message: `Secret ${name} has no ${missing.join(' and no ')}.`,
  };
}

/** The key must be the certificate's own. */
function keyFits({ state, name }: CheckInput): Violation | undefined {
  const { fit } = pairOf(state);
  if (fit.verdict === 'fits') return undefined;
  const isCertificate = fit.verdict === 'certificate-invalid';
  return {
    reason: isCertificate ? issuanceReasons.invalidCertificate : issuanceReasons.invalidKeyPair,
    message: `Secret ${name} holds no usable pair: ${ended(fit.reason)}`,
  };
}

/** A temporary certificate stands there only until the signed one comes. */
function notTemporary({ state, name }: CheckInput): Violation | undefined {
  if (!isTemporary(pairOf(state).leaf)) return undefined;
  return {
    reason: issuanceReasons.doesNotExist,
    message: `Secret ${name} holds a temporary self-signed certificate.`,
  };
}

/** What another issuer signed is not what was asked for. */
function issuerIsRight({ state, certificate }: CheckInput): Violation | undefined {
  const found = signerOf(state.secret);
  const issuers = issuersOf(certificate);
  if (issuers.some(issuer => sameIssuer(found, issuer))) return undefined;
  const by = found.name === '' ? 'not issued by Postern' : `issued by ${issuerText(found)}`;
  return {
    reason: issuanceReasons.incorrectIssuer,
    message: `The certificate was ${by}; the spec asks for ${issuerText(issuers[0])}.`,
  };
}

/** The Secret of another Certificate is not this one's. */
function certificateNameIsRight({ state, certificate }: CheckInput): Violation | undefined {
  const found = state.secret?.metadata.annotations?.[certificateNameAnnotation];
  if (found === undefined || found === certificate.metadata.name) return undefined;
  return {
    reason: issuanceReasons.incorrectCertificate,
    message: `The Secret was issued for Certificate ${quoted(found)}.`,
  };
}

/** The key's type and size must be as asked. */
function keyFitsSpec({ state, certificate }: CheckInput): Violation | undefined {
  // Its public half says the same, and is read already.
  const mismatch = keySpecMismatch(pairOf(state).leaf, wantedKey(certificate));
  if (mismatch === undefined) return undefined;
  return {
    reason: issuanceReasons.secretMismatch,
    message: `The private key is not as spec.privateKey asks: ${ended(mismatch)}`,
  };
}

/** The key in the Secret must be the one that the present request was made with. */
function keyFitsRequest({ state, csr }: CheckInput): Violation | undefined {
  if (holdsKeyOf(state)) return undefined;
  const read = csr();
  if (read === undefined) return undefined;
  if ('reason' in read) return read;
  if (samePublicKey(read.publicKey, pairOf(state).leaf.publicKey)) return undefined;
  return {
    reason: issuanceReasons.secretMismatch,
    message: `The private key in the Secret is not the one of CertificateRequest ${quoted(state.currentRequest?.metadata.name)}.`,
  };
}

/** The present request must still ask for what the spec asks for. */
function requestFitsSpec({ state, certificate, csr }: CheckInput): Violation | undefined {
  if (wasFoundToFit(state) && holdsKeyOf(state)) return undefined;
  const read = csr();
  if (read === undefined || 'reason' in read || state.currentRequest === undefined) return undefined;
  return changed(changedFields(state.currentRequest, read, certificate, issuersOf(certificate)));
}

/** With no request left, the certificate itself is compared. */
function certificateFitsSpec({ state, certificate }: CheckInput): Violation | undefined {
  if (state.currentRequest !== undefined) return undefined;
  return changed(certificateMismatch(pairOf(state).leaf, wantedContent(certificate)));
}

/** A certificate is renewed well before it expires. */
function notDueForRenewal({ state, nowMs }: CheckInput): Violation | undefined {
  const { atMs, window } = renewalOf(state);
  if (nowMs < atMs) return undefined;
  const wish = window === undefined ? '' : `, as its ACME server wishes${explained(window.explanationUrl)}`;
  return {
    reason: issuanceReasons.renewing,
    message: `The certificate was due for renewal at ${rfc3339(atMs)}${wish}.`,
  };
}

function explained(url: string | undefined): string {
  return url === undefined ? '' : ` (see ${url} )`;
}

/** When the certificate in the Secret is due for renewal. */
export function renewalOf(state: CertificateState): RenewalTime {
  const { certificate, currentRequest, renewalAdvice: advice } = state;
  const askedForMs = Date.parse(currentRequest?.metadata.creationTimestamp ?? '');
  return renewalTimeOf({ certificate, leaf: pairOf(state).leaf, askedForMs, advice });
}

/**
 * Whether the key of the certificate in the Secret stands in the present request. Reading and verifying a request takes
 * most of the time of all checks, which a start with thousands of certificates has not.
 */
function holdsKeyOf({ currentRequest, pair }: CertificateState): boolean {
  if (currentRequest === undefined || pair === undefined) return false;
  const request = Buffer.from(currentRequest.spec.request, 'base64').toString();
  const der = Buffer.from(request.replace(/-----[^-]*-----|\s/g, ''), 'base64');
  const info = publicKeyInfoIn(pair.leaf.der);
  return info !== undefined && der.includes(info);
}

/**
 * Whether the status says of this generation of the spec, and of a certificate that is valid until the same second, that it
 * is Ready: what a request asks for never changes, so that it fits still.
 */
function wasFoundToFit({
  certificate: { metadata, status },
  currentRequest,
  pair,
}: CertificateState): boolean {
  const ready = findCondition(status?.conditions, conditionTypes.ready);
  return (
    ready?.status === 'True' &&
    ready.observedGeneration !== undefined &&
    ready.observedGeneration === metadata.generation &&
    status?.notAfter === rfc3339(pair?.leaf.notAfterMs ?? 0) &&
    status.revision !== undefined &&
    String(status.revision) === currentRequest?.metadata.annotations?.[certificateRevisionAnnotation]
  );
}

function changed(fields: readonly string[]): Violation | undefined {
  if (fields.length === 0) return undefined;
  return {
    reason: issuanceReasons.requestChanged,
    message: `These fields of the spec have changed since the certificate was issued: ${fields.join(', ')}.`,
  };
}

function currentCsr({ currentRequest }: CertificateState): CsrInfo | Violation | undefined {
  if (currentRequest === undefined) return undefined;
  try {
    return csrOf(currentRequest);
  } catch (error) {
    return {
      reason: issuanceReasons.invalidCertificateRequest,
      message: `CertificateRequest ${quoted(currentRequest.metadata.name)} holds no valid CSR: ${ended(messageOf(error))}`,
    };
  }
}

/** What is in the Secret, for the checks that come after those for its existence. */
export function pairOf({ pair }: CertificateState): StoredPair {
  if (pair === undefined) throw new Error('The Secret is looked into before it is known to exist');
  return pair;
}
