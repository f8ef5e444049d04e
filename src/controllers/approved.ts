import type { CertificateRequest } from '../api/cert-manager/certificate-request.ts';
import { hasCondition } from '../api/condition.ts';
import { conditionTypes } from '../api/reasons.ts';

/**
 * Whether a CertificateRequest may be carried out. `approves`: requests for in-tree issuers are approved here; then the
 * condition is written with the next status and need not be there yet. One that is denied never may.
 */
export function isApproved({ status }: CertificateRequest, approves: boolean): boolean {
  if (hasCondition(status?.conditions, conditionTypes.denied)) return false;
  return approves || hasCondition(status?.conditions, conditionTypes.approved);
}
