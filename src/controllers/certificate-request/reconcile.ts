import { type CertificateRequest, certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import { isInTreeIssuer } from '../../api/cert-manager/issuer-ref.ts';
import { hasCondition } from '../../api/condition.ts';
import { keyOf, type ObjectKey } from '../../api/meta.ts';
import { conditionTypes, requestEvents, requestReasons, writeRefused } from '../../api/reasons.ts';
import { PosternError } from '../../core/errors.ts';
import type { IssuerTypes } from '../../issuers/index.ts';
import type { SignResult } from '../../issuers/issuer.ts';
import { lookUpIssuer } from '../../issuers/lookup.ts';
import { ended } from '../../issuers/sentence.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import type { ControllerContext } from '../context.ts';
import { type Patience, progressGraceMs } from '../patience.ts';
import { tellingRefusedWrites } from '../refused-write.ts';
import { soonest } from '../requeue.ts';
import { writeStatus } from '../write-status.ts';
import { decideRequest, type RequestDecision } from './decide.ts';
import { signedProblem } from './signed-problem.ts';
import { approvedConditions, failedStatus, issuedStatus, pendingConditions } from './status.ts';

/** How this controller was set up. */
export interface RequestOptions {
  readonly issuerTypes: IssuerTypes;
  /** Whether requests for in-tree issuers are approved here; off, where a policy approver does it. */
  readonly approves: boolean;
}

/** What every step works with. */
export interface RequestWork {
  readonly context: ControllerContext;
  readonly options: RequestOptions;
  readonly patience: Patience;
}

/** Takes one CertificateRequest to its signature, or to its failure. */
export async function reconcileRequest(
  work: RequestWork,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { context, options, patience } = work;
  const request = context.caches.cacheOf(certificateRequests).get(key);
  if (request === undefined) {
    patience.forget(key);
    return {};
  }
  const issuer = isInTreeIssuer(request.spec.issuerRef)
    ? lookUpIssuer(context.caches, request.spec.issuerRef, key.namespace)
    : undefined;
  const decision = decideRequest(request, issuer, options.approves);
  switch (decision.kind) {
    case 'ignore':
      patience.forget(key);
      return {};
    case 'await-approval':
      return pending(work, request, decision.message, {
        event: requestEvents.waitingForApproval,
        isNormal: true,
      });
    case 'approve':
      await write(work, request, approvedConditions(request, context.clock.now()));
      return {};
    case 'deny':
      return finish(work, request, requestReasons.denied, decision.message);
    case 'fail':
      return finish(work, request, requestReasons.failed, decision.message);
    case 'await-issuer':
      return pending(work, request, decision.message, { event: decision.reason });
    case 'sign':
      return sign(work, request, decision, signal);
  }
}

async function sign(
  work: RequestWork,
  request: CertificateRequest,
  { issuer, csr }: RequestDecision & { kind: 'sign' },
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { context, options } = work;
  const type = options.issuerTypes(issuer);
  if ('reason' in type) return pending(work, request, type.message);
  const result = await tellingRefusedWrites(
    () => outcome(() => type.sign(issuer, { request, csr }, signal)),
    message => pending(work, request, message, { event: writeRefused }),
  );
  switch (result.kind) {
    case 'pending': {
      const graceMs = result.isProgress === true ? progressGraceMs : undefined;
      const { requeueAfterMs } = await pending(work, request, result.message, { graceMs });
      return soonest(requeueAfterMs, result.afterMs);
    }
    case 'failed':
      return finish(work, request, requestReasons.failed, result.message);
    case 'signed': {
      const problem = signedProblem(result.chain, csr);
      if (problem !== undefined) return finish(work, request, requestReasons.failed, problem);
      const status = issuedStatus(request, result, options.approves, context.clock.now());
      await writeStatus(context.api, certificateRequests, request, status);
      return {};
    }
  }
}

/** What can never succeed is a failure of the request, however the issuer said it. */
async function outcome(sign: () => Promise<SignResult>): Promise<SignResult> {
  try {
    return await sign();
  } catch (error) {
    if (!(error instanceof PosternError) || error.retry !== 'never') throw error;
    return { kind: 'failed', message: `The certificate cannot be signed: ${ended(error.message)}` };
  }
}

interface PendingOptions {
  /** The reason of an event that says it too. */
  readonly event?: string;
  /** Whether nothing is wrong: the event is no Warning. */
  readonly isNormal?: boolean;
  readonly graceMs?: number | undefined;
}

/** Says what the request is waiting for, once it has waited a while; with `event`, by an event of this reason too. */
async function pending(
  work: RequestWork,
  request: CertificateRequest,
  message: string,
  { event, isNormal = false, graceMs }: PendingOptions = {},
): Promise<ReconcileResult> {
  const { context, options, patience } = work;
  const leftMs = patience.leftMs(keyOf(request), message, graceMs);
  if (leftMs > 0) return { requeueAfterMs: leftMs };
  const conditions = pendingConditions(request, message, options.approves, context.clock.now());
  const isNews = await write(work, request, conditions);
  if (isNews && event !== undefined) context.events[isNormal ? 'normal' : 'warning'](request, event, message);
  return {};
}

async function finish(
  { context, options }: RequestWork,
  request: CertificateRequest,
  reason: string,
  message: string,
): Promise<ReconcileResult> {
  const approves = options.approves && !hasCondition(request.status?.conditions, conditionTypes.denied);
  const status = failedStatus(request, reason, message, approves, context.clock.now());
  await writeStatus(context.api, certificateRequests, request, status);
  context.events.warning(request, reason, message);
  return {};
}

function write(
  { context }: RequestWork,
  request: CertificateRequest,
  conditions: ReturnType<typeof approvedConditions>,
): Promise<boolean> {
  return writeStatus(context.api, certificateRequests, request, { ...request.status, conditions });
}
