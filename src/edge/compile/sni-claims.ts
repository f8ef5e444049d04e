import { type Finding, findingReasons } from '../finding.ts';
import { quoted } from './annotations.ts';
import { exactList } from './exact-list.ts';
import { type Misfit, shownNames, type TlsClaim } from './ingress-tls.ts';
import type { SniEntry } from './table.ts';

/** What a name is served with, whose claim that is, and what the others should know. */
export interface SniResult {
  readonly entry: SniEntry;
  readonly owner: TlsClaim;
  readonly findings: readonly Finding[];
}

/**
 * Decides between claims to a name, the oldest Ingress's first (edge.md, statements 6 and 16). The oldest that names a
 * Secret for it decides, and where that Secret cannot be used, the default certificate is served: never that of another
 * Ingress. Then come TLS entries without hosts: those of Ingresses with a rule for the name, at last those of Ingresses
 * that take every host.
 */
export function decideSni(claims: readonly TlsClaim[]): SniResult | undefined {
  const owner =
    claims.find(({ by }) => by === 'entry') ?? claims.find(({ by }) => by === 'rule') ?? claims[0];
  if (owner === undefined) return undefined;
  const findings: Finding[] = [];
  for (const claim of claims) {
    // That a certificate alone names the host is told once for all its names.
    if (claim.by === 'certificate' || claim.secret === owner.secret) continue;
    // An Ingress may have a certificate of its own for some of its hosts, and another for the rest.
    if (claim.ingress === owner.ingress && claim.by !== owner.by) continue;
    findings.push({
      object: claim.ingress,
      reason: findingReasons.tlsConflict,
      message: conflictMessage(claim, owner),
    });
  }
  return { entry: owner.entry, owner, findings: exactList(findings) };
}

function conflictMessage({ host, secret, by }: TlsClaim, owner: TlsClaim): string {
  const { namespace = '', name = '' } = owner.ingress.metadata;
  const who = by === owner.by ? 'the older Ingress' : 'Ingress';
  return `Secret ${quoted(secret)} is not used for ${quoted(host)}: ${who} "${namespace}/${name}" names Secret "${owner.secret}" for it`;
}

/** What is said of a certificate that is not for `hosts`. */
export function misfitMessage({ secret, names }: Misfit, hosts: readonly string[]): string {
  return `the certificate in Secret ${quoted(secret)} is for ${shownNames(names)}, not for ${hosts.slice(0, 5).join(', ')}: the default certificate is served there`;
}
