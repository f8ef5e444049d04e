import { type FindingReason, findingReasons } from '../finding.ts';
import type { ClientCertificatePolicy, RoutePolicy } from '../policy/route-policy.ts';
import { quoted } from './annotations.ts';
import type { IngressRoutes } from './ingress-routes.ts';

const verifyClientAnnotation = 'nginx.ingress.kubernetes.io/auth-tls-verify-client';

type Note = (from: IngressRoutes, reason: FindingReason, message: string) => void;

/**
 * Lays what holds for a whole host upon the policies of its Ingresses. Client certificates are asked for in the handshake,
 * before any path is known: the oldest Ingress that asks for them decides which (edge.md, statement 6), and it asks for all
 * paths of the host, as in ingress-nginx; an Ingress that says auth-tls-verify-client "off" is exempt. One that asks for
 * others cannot be honoured, and its paths answer 503.
 */
export function hostPolicy(
  host: string,
  claimants: readonly IngressRoutes[],
  note: Note,
): (from: IngressRoutes, policy: RoutePolicy) => RoutePolicy {
  const owner = claimants.find(({ policy }) => policy.clientCertificate !== undefined);
  const asked = owner?.policy.clientCertificate;
  if (owner === undefined || asked === undefined) return (_from, policy) => policy;
  const { namespace, name } = owner.source;
  const conflict = `it asks the clients of host ${quoted(host)} for other certificates than the older Ingress "${namespace}/${name}"`;
  for (const claimant of claimants) {
    const own = claimant.policy.clientCertificate;
    if (own === undefined || own.id === asked.id) continue;
    note(
      claimant,
      findingReasons.clientCertificateConflict,
      `auth-tls-secret cannot be honoured: ${conflict}. Use the same settings; until then its paths answer 503`,
    );
  }
  return (from, policy) => {
    const own = policy.clientCertificate;
    if (own === undefined) return saysOff(from) ? policy : derived(policy, asked, policy.refusal);
    return own.id === asked.id ? policy : derived(policy, asked, policy.refusal ?? conflict);
  };
}

function saysOff({ ingress }: IngressRoutes): boolean {
  return ingress.metadata.annotations?.[verifyClientAnnotation]?.trim() === 'off';
}

/** One object for each policy and what was laid upon it, so that compiling again gives the same. */
const derivedPolicies = new WeakMap<RoutePolicy, Map<string, RoutePolicy>>();

function derived(
  policy: RoutePolicy,
  clientCertificate: ClientCertificatePolicy,
  refusal: string | undefined,
): RoutePolicy {
  const key = `${clientCertificate.id} ${refusal ?? ''}`;
  let known = derivedPolicies.get(policy);
  if (known === undefined) {
    known = new Map();
    derivedPolicies.set(policy, known);
  }
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = Object.freeze({ ...policy, clientCertificate, refusal });
  known.set(key, made);
  return made;
}
