import { type Finding, findingReasons } from '../finding.ts';
import { quoted } from './annotations.ts';
import type { Misfit, TlsClaim } from './ingress-tls.ts';
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
 * Ingress. Claims by a certificate's own names count where nobody names a Secret.
 */
export function decideSni(claims: readonly TlsClaim[]): SniResult | undefined {
  const owner = claims.find(({ explicit }) => explicit) ?? claims[0];
  if (owner === undefined) return undefined;
  const findings: Finding[] = [];
  for (const claim of claims) {
    if (!claim.explicit || claim.secret === owner.secret) continue;
    findings.push({
      object: claim.ingress,
      reason: findingReasons.tlsConflict,
      message: conflictMessage(claim, owner),
    });
  }
  return { entry: owner.entry, owner, findings };
}

function conflictMessage({ host, secret }: TlsClaim, owner: TlsClaim): string {
  const { namespace = '', name = '' } = owner.ingress.metadata;
  return `Secret ${quoted(secret)} is not used for ${quoted(host)}: the older Ingress "${namespace}/${name}" names Secret "${owner.secret}" for it`;
}

/** What is said of a certificate that is not for `hosts`. */
export function misfitMessage({ secret, names }: Misfit, hosts: readonly string[]): string {
  const shown = [...names].slice(0, 5).join(', ');
  const has = names.size === 0 ? 'no names' : shown + (names.size > 5 ? ', ...' : '');
  return `the certificate in Secret ${quoted(secret)} is for ${has}, not for ${hosts.slice(0, 5).join(', ')}: the default certificate is served there`;
}
