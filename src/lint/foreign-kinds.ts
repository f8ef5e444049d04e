import type { LintSeverity } from '../api/lint-report.ts';

/** What becomes of a kind that Postern does not serve. */
export interface ForeignKind {
  readonly severity: LintSeverity;
  readonly message: string;
}

const certManagerGroups: ReadonlySet<string> = new Set(['cert-manager.io', 'acme.cert-manager.io']);

/** Emissary's kinds beside Mapping and TLSContext, and what to do about them. */
const emissaryKinds: Readonly<Record<string, ForeignKind>> = {
  AuthService: refused(
    'Mappings without bypass_auth answer 503 beside it, since nobody asks it here; use an Ingress with the annotation auth-url for what must be guarded',
  ),
  Filter: refused('what it guards would be open: use an Ingress with the annotations auth-url or auth-type'),
  FilterPolicy: refused(
    'Mappings without bypass_auth answer 503 beside it, since nobody applies it here; use an Ingress with the annotations auth-url or auth-type',
  ),
  RateLimitService: refused(
    'limits are not asked for elsewhere: use an Ingress with the annotations limit-rps or limit-rpm',
  ),
  RateLimit: refused(
    'limits are not asked for elsewhere: use an Ingress with the annotations limit-rps or limit-rpm',
  ),
  Host: refused(
    'Mappings are served for their own hostname; for a certificate write a TLSContext with hosts, or an Ingress with spec.tls, which can have it issued',
  ),
  Module: differs(
    'what it sets for all Mappings is not applied: set it on each Mapping, or by flags of "postern run"',
  ),
  Listener: differs('ports are set by the flags --http-listen and --https-listen'),
  TCPMapping: refused('TCP is not forwarded, HTTP alone'),
  LogService: differs('there is an access log of its own: see --access-log'),
  TracingService: differs('traces are not made'),
  DevPortal: differs('there is no such portal'),
  ConsulResolver: refused('endpoints come from the cluster alone'),
  KubernetesEndpointResolver: note('endpoints are looked up in any case'),
  KubernetesServiceResolver: note('endpoints are looked up in any case'),
};

/** Says of a kind that cannot be declared what that means. */
export function foreignKind(apiVersion: string, kind: string): ForeignKind {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  if (group === 'getambassador.io' || group === 'x.getambassador.io') {
    const known = Object.hasOwn(emissaryKinds, kind) ? emissaryKinds[kind] : undefined;
    return known === undefined
      ? differs(`${kind} of ${apiVersion} is not served`)
      : { ...known, message: `${kind} is not served: ${known.message}` };
  }
  if (group === 'gateway.networking.k8s.io')
    return refused(`${kind} of the Gateway API is not served: write an Ingress`);
  if (certManagerGroups.has(group) || group === 'certmanager.k8s.io')
    return {
      severity: 'invalid',
      message: `${kind} of ${apiVersion} is not known: write it as cert-manager.io/v1 or acme.cert-manager.io/v1`,
    };
  if (group === 'k8s.nginx.org')
    return refused(
      `${kind} of ${group} is of another controller than ingress-nginx, and not served: write an Ingress`,
    );
  return note(`${kind} of ${apiVersion} is not looked at: Postern has no use for it`);
}

function refused(message: string): ForeignKind {
  return { severity: 'refused', message };
}

function differs(message: string): ForeignKind {
  return { severity: 'differs', message };
}

function note(message: string): ForeignKind {
  return { severity: 'note', message };
}
