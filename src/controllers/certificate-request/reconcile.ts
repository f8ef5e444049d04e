import { type CertificateRequest, certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import { isInTreeIssuer } from '../../api/cert-manager/issuer-ref.ts';
import { type Condition, hasCondition, withCondition } from '../../api/condition.ts';
import type { ObjectKey } from '../../api/meta.ts';
import { approvedReason, conditionTypes, requestReasons } from '../../api/reasons.ts';
import { canonicalJson } from '../../core/canonical-json.ts';
import { rfc3339 } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { IssuerTypes } from '../../issuers/index.ts';
import { lookUpIssuer } from '../../issuers/lookup.ts';
import { parseCertificate } from '../../pki/certificate.ts';
import { samePublicKey } from '../../pki/private-key.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import type { ControllerContext } from '../context.ts';
import { pendingGraceLeftMs } from '../pending-grace.ts';
import { decideRequest, type RequestDecision } from './decide.ts';

/** How this controller was set up. */
export interface RequestOptions {
  readonly issuerTypes: IssuerTypes;
  /** Whether requests for in-tree issuers are approved here; off, where a policy approver does it. */
  readonly approves: boolean;
}

/** Takes one CertificateRequest to its signature, or to its failure. */
export async function reconcileRequest(
  context: ControllerContext,
  options: RequestOptions,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const request = context.caches.cacheOf(certificateRequests).get(key);
  if (request === undefined) return {};
  const issuer = isInTreeIssuer(request.spec.issuerRef)
    ? lookUpIssuer(context.caches, request.spec.issuerRef, key.namespace)
    : undefined;
  const decision = decideRequest(request, issuer, options.approves);
  switch (decision.kind) {
    case 'ignore':
      return approveForeign(context, options, request);
    case 'await-approval':
      return {};
    case 'deny':
      await finish(context, request, requestReasons.denied, decision.message);
      return {};
    case 'fail':
      await finish(context, request, requestReasons.failed, decision.message);
      return {};
    case 'await-issuer':
      return pending(context, options, request, decision.message);
    case 'sign':
      return sign(context, options, request, decision, signal);
  }
}

async function sign(
  context: ControllerContext,
  options: RequestOptions,
  request: CertificateRequest,
  { issuer, csr }: RequestDecision & { kind: 'sign' },
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const type = options.issuerTypes(issuer);
  if ('reason' in type) return pending(context, options, request, type.message);
  const result = await type.sign(issuer, { request, csr }, signal);
  switch (result.kind) {
    case 'pending': {
      const { requeueAfterMs } = await pending(context, options, request, result.message);
      const waits = [requeueAfterMs, result.afterMs].filter(ms => ms !== undefined);
      return waits.length === 0 ? {} : { requeueAfterMs: Math.min(...waits) };
    }
    case 'failed':
      await finish(context, request, requestReasons.failed, result.message);
      return {};
    case 'signed': {
      const problem = signedProblem(result.chain, csr);
      if (problem !== undefined) {
        await finish(context, request, requestReasons.failed, problem);
        return {};
      }
      const ready = condition(
        context,
        conditionTypes.ready,
        'True',
        requestReasons.issued,
        'The certificate has been signed.',
      );
      await context.api.updateStatus(certificateRequests, {
        ...request,
        status: {
          ...request.status,
          conditions: withCondition(approvedConditions(context, options, request), ready),
          certificate: Buffer.from(result.chain).toString('base64'),
          ...(result.ca !== undefined && { ca: Buffer.from(result.ca).toString('base64') }),
        },
      });
      return {};
    }
  }
}

/** A signed certificate for another key than the request's would break what it is put into. */
function signedProblem(
  chain: string,
  csr: { publicKey: Parameters<typeof samePublicKey>[0] },
): string | undefined {
  try {
    return samePublicKey(parseCertificate(chain).publicKey, csr.publicKey)
      ? undefined
      : 'The issuer gave a certificate for another key than that of the request.';
  } catch (error) {
    return `The issuer gave no valid certificate: ${messageOf(error)}`;
  }
}

/** Says what the request is waiting for, once it has waited a while. */
async function pending(
  context: ControllerContext,
  options: RequestOptions,
  request: CertificateRequest,
  message: string,
): Promise<ReconcileResult> {
  const leftMs = pendingGraceLeftMs(request, context.clock.now());
  if (leftMs > 0) return { requeueAfterMs: leftMs };
  const ready = condition(context, conditionTypes.ready, 'False', requestReasons.pending, message);
  await write(context, request, withCondition(approvedConditions(context, options, request), ready));
  return {};
}

async function finish(
  context: ControllerContext,
  request: CertificateRequest,
  reason: string,
  message: string,
): Promise<void> {
  const ready = condition(context, conditionTypes.ready, 'False', reason, message);
  context.events.warning(request, reason, message);
  await context.api.updateStatus(certificateRequests, {
    ...request,
    status: {
      ...request.status,
      conditions: withCondition(request.status?.conditions, ready),
      failureTime: rfc3339(context.clock.now()),
    },
  });
}

/** Out-of-tree issuers sign by themselves; they wait for the approval, which is ours to give. */
async function approveForeign(
  context: ControllerContext,
  options: RequestOptions,
  request: CertificateRequest,
): Promise<ReconcileResult> {
  if (isInTreeIssuer(request.spec.issuerRef) || request.metadata.deletionTimestamp !== undefined) return {};
  const conditions = request.status?.conditions;
  if (hasCondition(conditions, conditionTypes.denied)) return {};
  await write(context, request, approvedConditions(context, options, request));
  return {};
}

function approvedConditions(
  context: ControllerContext,
  options: RequestOptions,
  request: CertificateRequest,
): Condition[] {
  const conditions = request.status?.conditions ?? [];
  if (!options.approves || hasCondition(conditions, conditionTypes.approved)) return conditions;
  const message = 'Approved by Postern: its approver is on, and no one has denied the request.';
  return withCondition(
    conditions,
    condition(context, conditionTypes.approved, 'True', approvedReason, message),
  );
}

async function write(
  context: ControllerContext,
  request: CertificateRequest,
  conditions: Condition[],
): Promise<void> {
  if (canonicalJson(request.status?.conditions ?? []) === canonicalJson(conditions)) return;
  await context.api.updateStatus(certificateRequests, {
    ...request,
    status: { ...request.status, conditions },
  });
}

function condition(
  { clock }: ControllerContext,
  type: string,
  status: Condition['status'],
  reason: string,
  message: string,
): Condition {
  return { type, status, reason, message, lastTransitionTime: rfc3339(clock.now()) };
}
