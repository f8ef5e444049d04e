import { type Finding, findingReasons } from '../finding.ts';
import type { ContextsResult } from './compile-contexts.ts';
import { quoted } from './quoted.ts';
import type { HostRoutes, Route } from './table.ts';

/**
 * Says of TLSContexts that ask clients for certificates where Ingresses have rules for the same hosts: those are guarded by
 * their own annotations alone.
 */
export function unguardedHosts(
  { guards, owners }: Pick<ContextsResult, 'guards' | 'owners'>,
  hosts: ReadonlyMap<string, HostRoutes>,
): Finding[] {
  const findings: Finding[] = [];
  for (const host of guards.keys()) {
    const object = owners.get(host === '*' ? '' : host);
    const open =
      host === '*' ? [...hosts.values()] : [...hosts.values()].filter(routes => routes.host === host);
    const names = open.filter(isOpen).map(routes => quoted(routes.host));
    if (object === undefined || names.length === 0 || !asksForCertificates(object.spec)) continue;
    const shown = names.slice(0, 3).join(', ');
    const message = `clients of Mappings alone are asked for certificates: Ingresses with rules for ${shown} are open; give them the annotation auth-tls-secret`;
    findings.push({ object, reason: findingReasons.tlsContextAdjusted, message });
  }
  return findings;
}

function isOpen({ root, exact, prefixes, patterns }: HostRoutes): boolean {
  const routes: Route[] = [...exact.values(), ...prefixes.values(), ...patterns.map(({ route }) => route)];
  if (root !== undefined) routes.push(root);
  return routes.some(({ policy }) => policy.clientCertificate === undefined && policy.refusal === undefined);
}

/** A TLSContext that cannot be read closes its hosts whatever it asks for. */
function asksForCertificates(spec: object): boolean {
  return 'ca_secret' in spec || 'cert_required' in spec;
}
