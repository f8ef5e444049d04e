import { type Finding, findingReasons } from '../finding.ts';
import type { ContextsResult } from './compile-contexts.ts';
import { quoted } from './quoted.ts';
import type { SniEntry } from './table.ts';

/**
 * What names are served with, by Ingresses and by TLSContexts. Where both have a certificate for a name, the Ingress's is
 * served, and how TLS is spoken is the TLSContext's word all the same: it only narrows.
 */
export function mergeSni(
  base: ReadonlyMap<string, SniEntry>,
  { sni, owners }: Pick<ContextsResult, 'sni' | 'owners'>,
): { sni: ReadonlyMap<string, SniEntry>; findings: Finding[] } {
  if (sni.size === 0) return { sni: base, findings: [] };
  const merged = new Map(base);
  const findings: Finding[] = [];
  for (const [name, entry] of sni) {
    const own = base.get(name);
    if (own === undefined || own.spare) {
      merged.set(name, entry);
      continue;
    }
    merged.set(name, { ...own, settings: entry.settings });
    const object = owners.get(name);
    if (object === undefined || isSame(own, entry)) continue;
    const message = `spec.hosts has ${quoted(name)}, for which an Ingress names another certificate: that one is served`;
    findings.push({ object, reason: findingReasons.tlsConflict, message });
  }
  return { sni: merged, findings };
}

function isSame(a: SniEntry, b: SniEntry): boolean {
  return a.kind === 'certificate' && b.kind === 'certificate' && a.certificate.id === b.certificate.id;
}
