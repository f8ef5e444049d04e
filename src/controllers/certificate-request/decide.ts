import type { CertificateRequest } from '../../api/cert-manager/certificate-request.ts';
import type { Issuer } from '../../api/cert-manager/issuer.ts';
import { isInTreeIssuer, issuerRefOf, missingIssuerText } from '../../api/cert-manager/issuer-ref.ts';
import { findCondition, hasCondition } from '../../api/condition.ts';
import { conditionTypes, requestEvents, requestReasons } from '../../api/reasons.ts';
import { messageOf } from '../../core/errors.ts';
import { ended, quoted } from '../../issuers/sentence.ts';
import { type CsrInfo, parseCsr } from '../../pki/csr.ts';

/*
 *   new --approve--> approved --sign--> pending --> Issued
 *    |                                      \-----> Failed
 *    +--(Denied)--> Denied        (all three are final)
 */

/** The next step for one CertificateRequest. */
export type RequestDecision =
  /** It is final, being deleted, or in the hands of another controller. */
  | { readonly kind: 'ignore' }
  /** An out-of-tree issuer signs it, as soon as it is approved. */
  | { readonly kind: 'approve' }
  /** Somebody else approves requests, and has not yet. */
  | { readonly kind: 'await-approval'; readonly message: string }
  | { readonly kind: 'deny'; readonly message: string }
  | { readonly kind: 'fail'; readonly message: string }
  /** The issuer is not there or not Ready; a change of it brings the request back. `reason`: of the event. */
  | { readonly kind: 'await-issuer'; readonly reason: string; readonly message: string }
  | { readonly kind: 'sign'; readonly issuer: Issuer; readonly csr: CsrInfo };

/** Decides the next step. `approves`: the in-tree approver is on, and approves what in-tree issuers sign. */
export function decideRequest(
  request: CertificateRequest,
  issuer: Issuer | undefined,
  approves: boolean,
): RequestDecision {
  const conditions = request.status?.conditions;
  if (request.metadata.deletionTimestamp !== undefined || isFinal(request)) return { kind: 'ignore' };
  if (!isInTreeIssuer(request.spec.issuerRef)) {
    const isSettled = hasCondition(conditions, conditionTypes.denied);
    return approves && !isSettled && !hasCondition(conditions, conditionTypes.approved)
      ? { kind: 'approve' }
      : { kind: 'ignore' };
  }
  const denied = findCondition(conditions, conditionTypes.denied);
  if (denied?.status === 'True') {
    const said = ended(denied.message ?? 'no reason was given');
    return { kind: 'deny', message: `The CertificateRequest was denied by an approver: ${said}` };
  }
  const invalid = findCondition(conditions, conditionTypes.invalidRequest);
  if (invalid?.status === 'True') {
    const said = ended(invalid.message ?? 'no reason was given');
    return { kind: 'fail', message: `The CertificateRequest is invalid: ${said}` };
  }
  const ref = issuerRefOf(request.spec.issuerRef);
  const named = `${ref.kind} ${quoted(ref.name)}`;
  if (!approves && !hasCondition(conditions, conditionTypes.approved)) {
    return {
      kind: 'await-approval',
      message: `CertificateRequest ${quoted(request.metadata.name)} is not approved yet; see that an approver runs for ${named}.`,
    };
  }

  const csr = readCsr(request);
  if ('problem' in csr) return { kind: 'fail', message: csr.problem };
  if (issuer === undefined) {
    return {
      kind: 'await-issuer',
      reason: requestEvents.issuerNotFound,
      message: missingIssuerText(ref, request.metadata.namespace ?? ''),
    };
  }
  const ready = findCondition(issuer.status?.conditions, conditionTypes.ready);
  if (ready?.status !== 'True') {
    const said = ready?.message === undefined ? ' yet.' : `: ${ended(ready.message)}`;
    return {
      kind: 'await-issuer',
      reason: requestEvents.issuerNotReady,
      message: `${named} is not ready${said}`,
    };
  }
  return { kind: 'sign', issuer, csr };
}

function isFinal({ status }: CertificateRequest): boolean {
  const ready = findCondition(status?.conditions, conditionTypes.ready);
  return (
    ready?.status === 'True' ||
    ready?.reason === requestReasons.failed ||
    ready?.reason === requestReasons.denied
  );
}

/** The CSR of a request, or why it cannot be signed. What would be left out of the certificate is refused by name. */
function readCsr(request: CertificateRequest): CsrInfo | { readonly problem: string } {
  let csr: CsrInfo;
  try {
    csr = parseCsr(Buffer.from(request.spec.request, 'base64').toString());
  } catch (error) {
    return { problem: `spec.request holds no valid certificate signing request: ${ended(messageOf(error))}` };
  }
  if (csr.unsupportedNames.length > 0) {
    const kinds = csr.unsupportedNames.join(', ');
    return {
      problem: `spec.request asks for names of a kind that Postern does not certify: ${kinds}; leave them out.`,
    };
  }
  if (csr.isCA && request.spec.isCA !== true) {
    return {
      problem:
        'spec.request asks for a certificate authority, and spec.isCA is not true; make the two say the same.',
    };
  }
  return csr;
}
