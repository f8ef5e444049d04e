import { type Finding, findingReasons } from '../finding.ts';
import type { MappingHost } from '../match/mapping-table.ts';
import type { BackendStore } from './backend-store.ts';
import { compileMappings, type MappingsResult } from './compile-mappings.ts';
import { type MergedSni, mergeSni } from './context-sni.ts';
import { Dependencies } from './dependencies.ts';
import type { IngressNames } from './ingress-names.ts';
import { kept, withEntries } from './reuse.ts';
import type { CompileSettings } from './settings.ts';
import type { Changes, EmissaryObjects, References, Snapshot } from './snapshot.ts';
import type { RoutingTable } from './table.ts';
import { unguardedHosts } from './unguarded-hosts.ts';

/**
 * The part of a table that is made from Emissary's objects. They are compiled together, and again where one of them, or
 * something they look up, is another object than before; hosts that come out the same stay the same objects.
 */
export class EmissaryPart {
  readonly #settings: CompileSettings;
  readonly #backends: BackendStore;
  readonly #dependencies = new Dependencies<EmissaryPart>();
  #objects: EmissaryObjects | undefined;
  #result: MappingsResult | undefined;
  #mappings: ReadonlyMap<string, MappingHost> = new Map();
  #merged: { base: RoutingTable['sni']; revision: number; result: MergedSni } | undefined;
  #tlsHosts: { base: ReadonlySet<string>; merged: MergedSni; tlsHosts: ReadonlySet<string> } | undefined;

  #open:
    | { hosts: RoutingTable['hosts']; contexts: MappingsResult['contexts']; findings: readonly Finding[] }
    | undefined;

  constructor(settings: CompileSettings, backends: BackendStore) {
    this.#settings = settings;
    this.#backends = backends;
  }

  /** Takes over what there is. To be called before the backends are brought up to date. */
  update(snapshot: Snapshot, nowMs: number, changes: Changes | undefined): void {
    const { emissary } = snapshot;
    if (emissary === undefined) return;
    const expired = (this.#result?.contexts.nextExpiryMs ?? Number.POSITIVE_INFINITY) <= nowMs;
    const stale = this.#dependencies.stale(snapshot, changes).size > 0;
    if (this.#objects !== undefined && sameObjects(this.#objects, emissary) && !expired && !stale) return;
    this.#objects = emissary;
    const before = this.#result;
    const lookups = this.#dependencies.lookupsFor(this, snapshot);
    const result = compileMappings(emissary, lookups, this.#settings, nowMs);
    for (const spec of result.backends.values()) this.#backends.acquire(spec);
    for (const key of before?.backends.keys() ?? []) this.#backends.release(key);
    this.#result = result;
    this.#merged = undefined;
    this.#tlsHosts = undefined;
    const gone = [...this.#mappings.keys()].filter(host => !result.mappings.has(host));
    const updates = [...result.mappings].map(
      ([host, made]) => [host, kept(this.#mappings.get(host), made)] as const,
    );
    this.#mappings = withEntries(this.#mappings, [
      ...updates,
      ...gone.map(host => [host, undefined] as const),
    ]);
  }

  /** The table's parts, with those of the Ingresses as `base`, which have `names`. */
  tableParts(
    base: Pick<RoutingTable, 'sni' | 'tlsHosts'>,
    names: IngressNames,
  ): Pick<RoutingTable, 'mappings' | 'sni' | 'tlsHosts'> {
    const contexts = this.#result?.contexts;
    if (contexts === undefined) return { mappings: this.#mappings, ...base };
    const merged = this.#mergedSni(base.sni, contexts, names);
    if (this.#tlsHosts?.base !== base.tlsHosts || this.#tlsHosts.merged !== merged) {
      const redirected = [...contexts.redirected].filter(
        host => host !== '*' && !merged.passedOver.has(host),
      );
      const all = redirected.length === 0 ? base.tlsHosts : new Set([...base.tlsHosts, ...redirected]);
      this.#tlsHosts = { base: base.tlsHosts, merged, tlsHosts: kept(this.#tlsHosts?.tlsHosts, all) };
    }
    return { mappings: this.#mappings, sni: merged.sni, tlsHosts: this.#tlsHosts.tlsHosts };
  }

  #mergedSni(
    base: RoutingTable['sni'],
    contexts: MappingsResult['contexts'],
    names: IngressNames,
  ): MergedSni {
    const before = this.#merged;
    if (before?.base === base && before.revision === names.revision) return before.result;
    const made = mergeSni(base, contexts, names);
    const result = kept(before?.result, { ...made, sni: kept(before?.result.sni, made.sni) });
    this.#merged = { base, revision: names.revision, result };
    return result;
  }

  /** `hosts` are those of the Ingresses. */
  findings(hosts: RoutingTable['hosts']): Finding[] {
    if (this.#result === undefined) return [];
    const findings = [
      ...this.#result.findings,
      ...(this.#merged?.result.findings ?? []),
      ...this.#unguarded(this.#result, hosts),
    ];
    for (const [key, users] of this.#result.users) {
      const message = this.#backends.refusalOf(key);
      if (message === undefined) continue;
      for (const object of users) findings.push({ object, reason: findingReasons.endpointRefused, message });
    }
    return findings;
  }

  /** Looked at again where the hosts or the contexts are others. */
  #unguarded(result: MappingsResult, hosts: RoutingTable['hosts']): readonly Finding[] {
    const { contexts } = result;
    if (this.#open?.hosts !== hosts || this.#open.contexts !== contexts)
      this.#open = { hosts, contexts, findings: unguardedHosts(contexts, hosts) };
    return this.#open.findings;
  }

  references(): References {
    return this.#dependencies.references();
  }

  nextExpiryMs(): number | undefined {
    return this.#result?.contexts.nextExpiryMs;
  }
}

function sameObjects(a: EmissaryObjects, b: EmissaryObjects): boolean {
  const same = (one: readonly unknown[], other: readonly unknown[]): boolean =>
    one.length === other.length && one.every((object, index) => object === other[index]);
  return same(a.mappings, b.mappings) && same(a.tlsContexts, b.tlsContexts) && same(a.guards, b.guards);
}
