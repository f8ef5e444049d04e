import { type FindingReason, findingReasons } from '../finding.ts';
import type { ClientCertificatePolicy, RoutePolicy } from '../policy/route-policy.ts';
import { quoted } from './annotations.ts';
import type { IngressRoutes } from './ingress-routes.ts';

const secretAnnotation = 'nginx.ingress.kubernetes.io/auth-tls-secret';
const verifyClientAnnotation = 'nginx.ingress.kubernetes.io/auth-tls-verify-client';

type Note = (from: IngressRoutes, reason: FindingReason, message: string) => void;

/**
 * Lays what holds for a whole host upon the policies of its Ingresses. Client certificates are asked for in the handshake,
 * before any path is known: the oldest Ingress that asks for them decides which (edge.md, statement 6), and it asks for all
 * paths of the host, as in ingress-nginx; an Ingress that says auth-tls-verify-client "off" is exempt. Where what it asks
 * for cannot be had, or another Ingress asks for others, the paths that would go unguarded answer 503.
 */
export function hostPolicy(
  host: string,
  claimants: readonly IngressRoutes[],
  note: Note,
): (from: IngressRoutes, policy: RoutePolicy) => RoutePolicy {
  const owner = claimants.find(asksForCertificates);
  if (owner === undefined) return (_from, policy) => policy;
  const asked = owner.policy.clientCertificate;
  const named = `the older Ingress "${owner.source.namespace}/${owner.source.name}"`;
  const refusals = new Map<IngressRoutes, string>();
  for (const claimant of claimants) {
    const refusal = claimant === owner ? undefined : refusalFor(claimant, host, owner, named);
    if (refusal === undefined) continue;
    refusals.set(claimant, refusal);
    note(
      claimant,
      findingReasons.clientCertificateConflict,
      `${refusal}. Until that is mended its paths answer 503`,
    );
  }
  return (from, policy) => {
    if (!asksForCertificates(from) && saysOff(from)) return policy;
    const refusal = policy.refusal ?? refusals.get(from);
    return policy.clientCertificate?.id === asked?.id && policy.refusal === refusal
      ? policy
      : derived(policy, asked, refusal);
  };
}

/** Whether an Ingress wants client certificates, be it that its Secret can be used or not. */
function asksForCertificates({ ingress, policy }: IngressRoutes): boolean {
  if (policy.clientCertificate !== undefined) return true;
  const secret = ingress.metadata.annotations?.[secretAnnotation]?.trim() ?? '';
  return secret !== '' && annotationOf(ingress) !== 'off';
}

function saysOff({ ingress }: IngressRoutes): boolean {
  return annotationOf(ingress) === 'off';
}

function annotationOf({ metadata }: IngressRoutes['ingress']): string | undefined {
  return metadata.annotations?.[verifyClientAnnotation]?.trim();
}

/** Why an Ingress beside the one that decides cannot be served, or undefined. */
function refusalFor(
  claimant: IngressRoutes,
  host: string,
  { policy }: IngressRoutes,
  owner: string,
): string | undefined {
  const asked = policy.clientCertificate;
  const own = claimant.policy.clientCertificate;
  if (own === undefined && (saysOff(claimant) || asksForCertificates(claimant))) return undefined;
  if (asked === undefined)
    return `the client certificates that ${owner} asks for at host ${quoted(host)} cannot be verified`;
  return own === undefined || own.id === asked.id
    ? undefined
    : `auth-tls-secret asks the clients of host ${quoted(host)} for other certificates than ${owner}: use the same settings`;
}

/** One object for each policy and what was laid upon it, so that compiling again gives the same. */
const derivedPolicies = new WeakMap<RoutePolicy, Map<string, RoutePolicy>>();

function derived(
  policy: RoutePolicy,
  clientCertificate: ClientCertificatePolicy | undefined,
  refusal: string | undefined,
): RoutePolicy {
  const key = `${clientCertificate?.id ?? ''} ${refusal ?? ''}`;
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
