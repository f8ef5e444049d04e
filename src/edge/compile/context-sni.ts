import type { TlsContext } from '../../api/getambassador/tls-context.ts';
import { type Finding, findingReasons } from '../finding.ts';
import { wildcardFor } from '../match/host.ts';
import type { ContextsResult } from './compile-contexts.ts';
import type { IngressNames } from './ingress-names.ts';
import { quoted } from './quoted.ts';
import type { SniEntry } from './table.ts';

/** What names are served with, by Ingresses and by TLSContexts. */
export interface MergedSni {
  readonly sni: ReadonlyMap<string, SniEntry>;
  /** Names of TLSContexts that Ingresses of other namespaces have: nothing is done there. */
  readonly passedOver: ReadonlySet<string>;
  readonly findings: readonly Finding[];
}

const none: ReadonlySet<string> = new Set();

/**
 * Puts TLSContexts beside Ingresses. A host belongs to its Ingresses (ADR 0019): a TLSContext of another namespace changes
 * nothing about it, be it that it names the host, a wildcard for it, or `*`. Where both are of one namespace and have a
 * certificate for a name, the Ingress's is served, and how TLS is spoken is the TLSContext's word.
 */
export function mergeSni(
  base: ReadonlyMap<string, SniEntry>,
  { sni, owners }: Pick<ContextsResult, 'sni' | 'owners'>,
  names: IngressNames,
): MergedSni {
  if (sni.size === 0) return { sni: base, passedOver: none, findings: [] };
  const merged = new Map(base);
  const passedOver = new Set<string>();
  const findings: Finding[] = [];
  for (const [name, entry] of sni) {
    const object = owners.get(name);
    if (object === undefined) continue;
    const owner = names.ownerOf(name);
    if (owner !== undefined && name !== '' && !isOf(object, owner)) {
      passedOver.add(name);
      const message = `spec.hosts has ${quoted(name)}, a host of Ingress "${owner.namespace}/${owner.name}", which is of another namespace: it is passed over here`;
      findings.push({ object, reason: findingReasons.tlsConflict, message });
      continue;
    }
    const own = base.get(name);
    if (own === undefined || own.spare) {
      merged.set(name, entry);
      continue;
    }
    merged.set(name, { ...own, settings: entry.settings });
    if (isSame(own, entry)) continue;
    const message = `spec.hosts has ${quoted(name)}, for which an Ingress names another certificate: that one is served`;
    findings.push({ object, reason: findingReasons.tlsConflict, message });
  }
  for (const [object, hosts] of keepFromWide(merged, owners, names)) {
    const shown = hosts.slice(0, 3).map(quoted).join(', ');
    const message = `how TLS is spoken by this TLSContext does not hold for hosts of Ingresses of other namespaces, such as ${shown}`;
    findings.push({ object, reason: findingReasons.tlsContextAdjusted, message });
  }
  return { sni: merged, passedOver, findings };
}

/**
 * Takes hosts of Ingresses out of what TLSContexts of other namespaces say of a wildcard or of `*`: they have the
 * certificate, as nobody has another one for them, and TLS is spoken as with all others. Gives the hosts by TLSContext.
 */
function keepFromWide(
  merged: Map<string, SniEntry>,
  owners: ContextsResult['owners'],
  names: IngressNames,
): Map<TlsContext, string[]> {
  const kept = new Map<TlsContext, string[]>();
  const wide = [...owners.keys()].filter(name => name === '' || name.startsWith('*'));
  if (wide.every(name => merged.get(name)?.settings === undefined)) return kept;
  for (const host of [...names.hosts()].sort()) {
    const found = host === '' || isServed(merged.get(host)) ? host : wideNameOf(merged, host);
    const entry = merged.get(found);
    const object = owners.get(found);
    const owner = names.ownerOf(host);
    if (entry?.settings === undefined || object === undefined || owner === undefined) continue;
    if (isOf(object, owner)) continue;
    // The default certificate may be another one yet, by flag.
    const plain = { ...entry, settings: undefined };
    merged.set(host, host === '' || found !== '' ? plain : { kind: 'default', reason: 'it has none' });
    kept.set(object, [...(kept.get(object) ?? []), host === '' ? '*' : host]);
  }
  return kept;
}

/** The wildcard that serves a name which has no entry of its own, or `''` for the default one. */
function wideNameOf(sni: ReadonlyMap<string, SniEntry>, name: string): string {
  const wildcard = wildcardFor(name);
  return wildcard !== undefined && isServed(sni.get(wildcard)) ? wildcard : '';
}

function isServed(entry: SniEntry | undefined): boolean {
  return entry !== undefined && entry.spare !== true;
}

function isOf({ metadata }: TlsContext, { namespace }: { readonly namespace: string }): boolean {
  return (metadata.namespace ?? '') === namespace;
}

function isSame(a: SniEntry, b: SniEntry): boolean {
  return a.kind === 'certificate' && b.kind === 'certificate' && a.certificate.id === b.certificate.id;
}
