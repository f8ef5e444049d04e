import type { CertificateRequest } from '../../api/cert-manager/certificate-request.ts';
import type { Issuer } from '../../api/cert-manager/issuer.ts';
import { isInTreeIssuer, issuerRefOf } from '../../api/cert-manager/issuer-ref.ts';
import { findCondition, hasCondition } from '../../api/condition.ts';
import { conditionTypes, requestReasons } from '../../api/reasons.ts';
import { messageOf } from '../../core/errors.ts';
import { type CsrInfo, parseCsr } from '../../pki/csr.ts';

/*
 *   new --approve--> approved --sign--> pending --> Issued
 *    |                                      \-----> Failed
 *    +--(Denied)--> Denied        (all three are final)
 */

/** The next step for one CertificateRequest. */
export type RequestDecision =
  /** It is final, being deleted, or another controller's. */
  | { readonly kind: 'ignore' }
  /** Somebody else approves requests, and has not yet. */
  | { readonly kind: 'await-approval' }
  | { readonly kind: 'deny'; readonly message: string }
  | { readonly kind: 'fail'; readonly message: string }
  /** The issuer is not there or not Ready; a change of it brings the request back. */
  | { readonly kind: 'await-issuer'; readonly message: string }
  | { readonly kind: 'sign'; readonly issuer: Issuer; readonly csr: CsrInfo };

/** Decides the next step. `approves`: the in-tree approver is on, and approves what in-tree issuers sign. */
export function decideRequest(
  request: CertificateRequest,
  issuer: Issuer | undefined,
  approves: boolean,
): RequestDecision {
  const conditions = request.status?.conditions;
  const ready = findCondition(conditions, conditionTypes.ready);
  if (request.metadata.deletionTimestamp !== undefined || !isInTreeIssuer(request.spec.issuerRef))
    return { kind: 'ignore' };
  if (
    ready?.status === 'True' ||
    ready?.reason === requestReasons.failed ||
    ready?.reason === requestReasons.denied
  ) {
    return { kind: 'ignore' };
  }
  if (hasCondition(conditions, conditionTypes.denied)) {
    const said = findCondition(conditions, conditionTypes.denied)?.message ?? '';
    return { kind: 'deny', message: `The CertificateRequest was denied by an approver: ${said}` };
  }
  if (!approves && !hasCondition(conditions, conditionTypes.approved)) return { kind: 'await-approval' };

  const csr = readCsr(request);
  if ('problem' in csr) return { kind: 'fail', message: csr.problem };
  const ref = issuerRefOf(request.spec.issuerRef);
  if (issuer === undefined) {
    return {
      kind: 'await-issuer',
      message: `${ref.kind} ${JSON.stringify(ref.name)} does not exist; create it, or correct spec.issuerRef.`,
    };
  }
  if (!hasCondition(issuer.status?.conditions, conditionTypes.ready)) {
    const said = findCondition(issuer.status?.conditions, conditionTypes.ready)?.message;
    return {
      kind: 'await-issuer',
      message: `${ref.kind} ${JSON.stringify(ref.name)} is not ready${said === undefined ? ' yet.' : `: ${said}`}`,
    };
  }
  return { kind: 'sign', issuer, csr };
}

function readCsr(request: CertificateRequest): CsrInfo | { readonly problem: string } {
  try {
    return parseCsr(Buffer.from(request.spec.request, 'base64').toString());
  } catch (error) {
    return { problem: `spec.request holds no valid certificate signing request: ${messageOf(error)}` };
  }
}
