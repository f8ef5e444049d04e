import { findCondition, hasCondition } from '../../api/condition.ts';
import { conditionTypes } from '../../api/reasons.ts';
import { rfc3339 } from '../../core/clock.ts';
import { type Chain, hostsOf } from './chain.ts';
import { type Explanation, explain } from './explain.ts';

/** One chain as it is reported; this is what `-o json` prints, and the table is made from. */
export interface ReportItem {
  readonly namespace: string;
  readonly ingress: string | null;
  readonly hosts: readonly string[];
  readonly state: Explanation['state'];
  readonly cause: string | null;
  readonly certificate: { readonly name: string; readonly ready: boolean; readonly issuer: string } | null;
  readonly request: { readonly name: string; readonly state: string } | null;
  readonly order: { readonly name: string; readonly state: string } | null;
  readonly challenges: readonly { readonly name: string; readonly dnsName: string; readonly state: string }[];
  readonly secret: {
    readonly name: string;
    readonly state: string;
    readonly notAfter: string | null;
    /** A self-signed one that stands in until the real one comes. */
    readonly temporary: boolean;
  } | null;
}

function requestState({ request }: Chain): string {
  const conditions = request?.status?.conditions;
  if (hasCondition(conditions, conditionTypes.denied)) return 'denied';
  if (hasCondition(conditions, conditionTypes.invalidRequest)) return 'invalid';
  return findCondition(conditions, conditionTypes.ready)?.reason?.toLowerCase() ?? 'new';
}

/** One chain, as it is at `nowMs`. */
export function reportItem(chain: Chain, nowMs: number): ReportItem {
  const { namespace, ingress, certificate, request, order, challenges, secret, issuer } = chain;
  const explanation = explain(chain, nowMs);
  const isIssued = hasCondition(certificate?.status?.conditions, conditionTypes.ready);
  const isUsable = secret?.state === 'usable';
  return {
    namespace,
    ingress: ingress?.metadata.name ?? null,
    hosts: hostsOf(chain),
    state: explanation.state,
    cause: explanation.state === 'not-ready' ? explanation.cause : null,
    certificate:
      certificate === undefined
        ? null
        : {
            name: certificate.metadata.name ?? '',
            ready: isIssued,
            issuer: `${issuer?.ref.kind ?? ''}/${issuer?.ref.name ?? ''}`,
          },
    request: request === undefined ? null : { name: request.metadata.name ?? '', state: requestState(chain) },
    order:
      order === undefined ? null : { name: order.metadata.name ?? '', state: order.status?.state ?? 'new' },
    challenges: challenges.map(({ metadata, spec, status }) => ({
      name: metadata.name ?? '',
      dnsName: spec.dnsName,
      state: status?.state ?? 'new',
    })),
    secret:
      secret === undefined
        ? null
        : {
            name: secret.name,
            state: isUsable && nowMs >= secret.notAfterMs ? 'expired' : secret.state,
            notAfter: isUsable ? rfc3339(secret.notAfterMs) : null,
            temporary: isUsable && secret.isSelfSigned && certificate !== undefined && !isIssued,
          },
  };
}
