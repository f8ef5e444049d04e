import type { Issuer } from '../../api/cert-manager/issuer.ts';
import { findCondition, withCondition } from '../../api/condition.ts';
import type { ObjectKey } from '../../api/meta.ts';
import { conditionTypes } from '../../api/reasons.ts';
import type { Resource } from '../../api/resource.ts';
import { rfc3339 } from '../../core/clock.ts';
import type { IssuerTypes } from '../../issuers/index.ts';
import type { SetUpResult } from '../../issuers/issuer.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import type { ControllerContext } from '../context.ts';
import { writeStatus } from '../write-status.ts';

/** Has one Issuer or ClusterIssuer set up, and says in its status whether it can sign. */
export async function reconcileIssuer(
  context: ControllerContext,
  issuerTypes: IssuerTypes,
  resource: Resource<Issuer>,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const issuer = context.caches.cacheOf(resource).get(key);
  if (issuer === undefined || issuer.metadata.deletionTimestamp !== undefined) return {};
  const type = issuerTypes(issuer);
  const result: SetUpResult = 'reason' in type ? { ready: false, ...type } : await type.setUp(issuer, signal);

  const { generation } = issuer.metadata;
  const before = findCondition(issuer.status?.conditions, conditionTypes.ready);
  // What another program said of the same spec is as good: the words alone are not worth a write.
  const isNoNews =
    result.ready &&
    before?.status === 'True' &&
    before.reason === result.reason &&
    before.observedGeneration === generation;
  const conditions = withCondition(issuer.status?.conditions, {
    type: conditionTypes.ready,
    status: result.ready ? 'True' : 'False',
    reason: result.reason,
    message: isNoNews ? before.message : result.message,
    lastTransitionTime: rfc3339(context.clock.now()),
    observedGeneration: generation,
  });
  const status = { ...issuer.status, ...result.status, conditions };
  await writeStatus(context.api, resource, issuer, status);
  if (!result.ready && before?.message !== result.message)
    context.events.warning(issuer, result.reason, result.message);
  return { requeueAfterMs: result.againAfterMs };
}
