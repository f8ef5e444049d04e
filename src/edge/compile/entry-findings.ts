import { type Finding, type FindingReason, findingReasons } from '../finding.ts';
import { isNamed } from '../tls/sni-entry.ts';
import type { BackendStore } from './backend-store.ts';
import { keyOfSpec } from './backends.ts';
import type { Entry } from './ingress-entry.ts';
import { quoted } from './quoted.ts';
import { misfitMessage } from './sni-claims.ts';
import type { RoutingTable } from './table.ts';

/** What the owner of an Ingress should know of its routes. */
export function routeFindings(
  { ingress, routes, failure, hosts }: Entry,
  backends: Pick<BackendStore, 'refusalOf'>,
): Finding[] {
  if (routes === undefined) return failure === undefined ? [] : [failure];
  const findings = [...routes.findings, ...hosts.flatMap(({ result }) => result?.findings.get(routes) ?? [])];
  for (const spec of routes.backends) {
    const message = backends.refusalOf(keyOfSpec(spec));
    if (message !== undefined)
      findings.push({ object: ingress, reason: findingReasons.endpointRefused, message });
  }
  return findings;
}

/** Of those with a default backend, oldest first, the ones whose is not used anywhere. */
export function fallbackFindings([owner, ...others]: readonly Entry[]): Finding[] {
  return others.flatMap(({ ingress, routes, hosts }) => {
    if (hosts.some(({ result }) => result?.fallbackOwner === routes)) return [];
    const message = `spec.defaultBackend is not used: the older Ingress "${owner?.rank.name ?? ''}" has one`;
    return { object: ingress, reason: findingReasons.defaultBackendConflict, message };
  });
}

/** What the owner of an Ingress should know of its TLS section. */
export function tlsFindings({ ingress, tls, names }: Entry, nowMs: number): Finding[] {
  const findings = [...tls.findings];
  const note = (reason: FindingReason, message: string): void =>
    void findings.push({ object: ingress, reason, message });
  for (const { secret, notAfterMs } of tls.certificates) {
    if (notAfterMs > nowMs) continue;
    const at = new Date(notAfterMs).toISOString();
    note(
      findingReasons.certificateExpired,
      `the certificate in Secret ${quoted(secret)} expired at ${at}: renew it`,
    );
  }
  for (const { result } of names)
    for (const finding of result?.findings ?? []) if (finding.object === ingress) findings.push(finding);
  for (const misfit of tls.misfits) {
    const hosts = misfit.claims
      .filter(claim => names.some(({ result }) => result?.owner === claim))
      .map(({ host }) => host);
    if (hosts.length > 0) note(findingReasons.certificateMismatch, misfitMessage(misfit, hosts));
  }
  return findings;
}

/** The names of certificates that are not served, because other objects name these hosts. */
export function spareFindings({ ingress, tls, names }: Entry, table: RoutingTable): Finding[] {
  const taken = new Map<string, string[]>();
  for (const { by, host, secret } of tls.claims) {
    if (by !== 'certificate') continue;
    const owner = names.find(({ name }) => name === host)?.result?.owner;
    if (owner?.secret !== secret || isNamed(table, host))
      taken.set(secret, [...(taken.get(secret) ?? []), host]);
  }
  return [...taken].map(([secret, hosts]) => ({
    object: ingress,
    reason: findingReasons.tlsConflict,
    message: `Secret ${quoted(secret)} of spec.tls, where no hosts are named, is not used for ${hosts.slice(0, 5).join(', ')}: others name that host`,
  }));
}
