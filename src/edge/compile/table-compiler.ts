import { messageOf } from '../../core/errors.ts';
import { type Finding, findingReasons } from '../finding.ts';
import { BackendStore } from './backend-store.ts';
import { keyOfSpec } from './backends.ts';
import type { Compilation } from './compile.ts';
import { Dependencies } from './dependencies.ts';
import { EmissaryPart } from './emissary-part.ts';
import { fallbackFindings, routeFindings, spareFindings, tlsFindings } from './entry-findings.ts';
import { exactList } from './exact-list.ts';
import { type FurtherNames, furtherNames, namesBeside } from './further-names.ts';
import { buildHostRoutes, fallbackRoute } from './host-routes.ts';
import type { Entry, HostState, NameState, Part } from './ingress-entry.ts';
import { IngressNames } from './ingress-names.ts';
import { hostsOfRules, type IngressRoutes, readIngressRoutes } from './ingress-routes.ts';
import { IngressSet } from './ingress-set.ts';
import { noTls, readIngressTls } from './ingress-tls.ts';
import { compareRank, insertRanked } from './ranked.ts';
import { kept, keptRoutes, withEntries } from './reuse.ts';
import type { CompileSettings } from './settings.ts';
import { type Changes, joinedReferences, type References, type Snapshot } from './snapshot.ts';
import { decideSni } from './sni-claims.ts';
import { emptyTable, type HostRoutes, type Route, type RoutingTable, type SniEntry } from './table.ts';

/**
 * Compiles tables one after another and remembers what it made: an Ingress is read again where it or something it looked
 * up is another object than before, a host and a name of a certificate are put together again where one of their Ingresses
 * was, and what comes out the same stays the same object. The result is that of a compilation from nothing.
 */
export class TableCompiler {
  readonly #settings: CompileSettings;
  readonly #ingresses: IngressSet;
  readonly #byName = new Map<string, Entry>();
  readonly #dependencies = new Dependencies<Part>();
  readonly #backends: BackendStore;
  readonly #emissary: EmissaryPart;
  readonly #hosts = new Map<string, HostState>();
  readonly #names = new Map<string, NameState>();
  readonly #ingressNames = new IngressNames(this.#hosts, this.#names, name => this.#further.hostOf.get(name));
  readonly #tlsHostCounts = new Map<string, number>();
  /** What the next tables are made from. */
  readonly #outdatedHosts = new Set<HostState>();
  readonly #outdatedNames = new Set<NameState>();
  readonly #unread = new Set<Entry>();
  readonly #hostUpdates = new Map<string, HostRoutes | undefined>();
  readonly #solverUpdates = new Map<string, HostRoutes | undefined>();
  readonly #outdatedNotes = new Set<Entry>();
  readonly #dropped: Entry[] = [];
  /** Those with a default backend, in order of age. */
  readonly #fallbacks: Entry[] = [];
  readonly #namers = new Set<Entry>();
  /** Those with certificates for hosts that nobody names. */
  readonly #spares = new Set<Entry>();
  #refusals = 0;
  #notedMs = 0;
  #lastFindings: readonly Finding[] = [];
  #tlsHostsChanged = false;
  #further: FurtherNames = { hosts: new Map(), hostOf: new Map(), findings: [] };
  #table: RoutingTable = emptyTable;
  /** What is of Ingresses alone. */
  #sni: ReadonlyMap<string, SniEntry> = emptyTable.sni;
  #tlsHosts: ReadonlySet<string> = emptyTable.tlsHosts;
  #references: References = { secrets: new Set(), services: new Set() };

  constructor(settings: CompileSettings) {
    this.#settings = settings;
    this.#ingresses = new IngressSet(settings);
    this.#backends = new BackendStore(settings);
    this.#emissary = new EmissaryPart(settings, this.#backends);
  }

  /**
   * The table for these objects. `changes` names the Secrets and Services that may be others than the last time; without it
   * all are looked at. Ingresses and their classes are always compared.
   */
  compile(snapshot: Snapshot, nowMs: number, changes?: Changes): Compilation {
    const stale = this.#dependencies.stale(snapshot, changes);
    this.#follow(snapshot);
    this.#readNew(snapshot, Number.POSITIVE_INFINITY);
    for (const part of stale) {
      const { entry, what } = part;
      if (this.#ingresses.has(entry) && entry.selection.selected) this.#read(entry, snapshot, what);
    }
    this.#emissary.update(snapshot, nowMs, changes);
    const hosts = this.#hostsOfTable();
    const solvers = withEntries(this.#table.solvers, this.#solverUpdates);
    this.#solverUpdates.clear();
    this.#sni = this.#sniOfTable();
    const backends = this.#backends.update(snapshot, changes);
    const fallback = kept(this.#table.fallback, this.#fallback());
    this.#tlsHosts = this.#tlsHostsOfTable();
    this.#forgetDropped();
    const parts = this.#emissary.tableParts({ sni: this.#sni, tlsHosts: this.#tlsHosts }, this.#ingressNames);
    const table: RoutingTable = { hosts, solvers, fallback, backends, ...parts };
    if (!sameParts(this.#table, table)) this.#table = Object.freeze(table);
    return {
      table: this.#table,
      findings: this.#allFindings(nowMs),
      references: this.#referencesOfAll(),
      nextExpiryMs: earliest(this.#nextExpiryMs(), this.#emissary.nextExpiryMs()),
    };
  }

  #referencesOfAll(): References {
    this.#references = joinedReferences(
      this.#references,
      this.#dependencies.references(),
      this.#emissary.references(),
    );
    return this.#references;
  }

  /**
   * Does some of the work of the next `compile` beforehand, for about `budgetMs`; false where there is more of it. Where
   * many Ingresses come at once, the process can do other things in between.
   */
  advance(snapshot: Snapshot, budgetMs: number): boolean {
    const untilMs = performance.now() + budgetMs;
    this.#follow(snapshot);
    return this.#readNew(snapshot, untilMs) && this.#buildHosts(untilMs);
  }

  #readNew(snapshot: Snapshot, untilMs: number): boolean {
    for (const entry of this.#unread) {
      this.#unread.delete(entry);
      this.#read(entry, snapshot, 'both');
      if (performance.now() > untilMs) return this.#unread.size === 0;
    }
    return true;
  }

  #follow(snapshot: Snapshot): void {
    const { added, dropped } = this.#ingresses.follow(snapshot);
    for (const entry of dropped) this.#drop(entry);
    for (const entry of added) this.#unread.add(entry);
  }

  #drop(entry: Entry): void {
    this.#dropped.push(entry);
    this.#outdatedNotes.delete(entry);
    this.#unread.delete(entry);
    this.#dependencies.forget(entry.routesPart);
    this.#dependencies.forget(entry.tlsPart);
    this.#leaveHosts(entry);
    this.#leaveNames(entry);
    this.#setRoutes(entry, undefined);
  }

  /** Takes over what was read, and lets go of what it led to before. */
  #setRoutes(entry: Entry, routes: IngressRoutes | undefined): void {
    for (const spec of routes?.backends ?? []) this.#backends.acquire(spec);
    for (const spec of entry.routes?.backends ?? []) this.#backends.release(keyOfSpec(spec));
    if (entry.routes !== undefined) {
      removeFrom(this.#fallbacks, entry);
      this.#namers.delete(entry);
    }
    entry.routes = routes;
    if (routes === undefined || routes.settings.canary !== undefined) return;
    if (routes.fallback !== undefined) insertRanked(this.#fallbacks, entry, one => one.rank);
    if (routes.settings.fromToWww || routes.settings.serverAliases.length > 0) this.#namers.add(entry);
  }

  #read(entry: Entry, snapshot: Snapshot, what: Part['what'] | 'both'): void {
    entry.failure = undefined;
    this.#outdatedNotes.add(entry);
    try {
      if (what !== 'tls') this.#readRoutes(entry, snapshot);
      this.#readTls(entry, snapshot);
    } catch (error) {
      // Manifests that no API server has checked can have any shape; one of them must not stop the others.
      const message = `the Ingress is not served: it is not of the form of networking.k8s.io/v1 (${messageOf(error)})`;
      entry.failure = { object: entry.ingress, reason: findingReasons.ingressInvalid, message };
      this.#leaveHosts(entry);
      this.#leaveNames(entry);
      this.#setRoutes(entry, undefined);
    }
  }

  #readRoutes(entry: Entry, snapshot: Snapshot): void {
    const lookups = this.#dependencies.lookupsFor(entry.routesPart, snapshot);
    const earlier = entry.routes ?? this.#byName.get(entry.rank.name)?.routes;
    const routes = readIngressRoutes(entry.ingress, lookups, this.#settings, earlier);
    this.#setRoutes(entry, routes);
    this.#byName.set(entry.rank.name, entry);
    this.#leaveHosts(entry);
    entry.hosts = routes.hosts.map(({ host }) => {
      const state = this.#hosts.get(host) ?? { host, claimants: [entry], result: undefined };
      if (this.#hosts.has(host)) insertRanked(state.claimants, entry, one => one.rank);
      else this.#hosts.set(host, state);
      this.#outdatedHosts.add(state);
      return state;
    });
  }

  #readTls(entry: Entry, snapshot: Snapshot): void {
    const { routes } = entry;
    const lookups = this.#dependencies.lookupsFor(entry.tlsPart, snapshot);
    // A canary is served as its main Ingress is.
    const serves = routes !== undefined && routes.settings.canary === undefined;
    const tls = serves
      ? readIngressTls(entry.ingress, lookups, { hosts: hostsOfRules(routes), aliases: namesBeside(routes) })
      : noTls;
    this.#leaveNames(entry);
    entry.tls = tls;
    if (tls.claims.some(({ by }) => by === 'certificate')) this.#spares.add(entry);
    for (const host of tls.hosts) this.#countTlsHost(host, 1);
    entry.names = [...new Set(tls.claims.map(({ host }) => host))].map(name => {
      const state = this.#names.get(name) ?? { name, claimants: [entry], result: undefined };
      if (this.#names.has(name)) insertRanked(state.claimants, entry, one => one.rank);
      else this.#names.set(name, state);
      this.#outdatedNames.add(state);
      return state;
    });
  }

  #leaveHosts(entry: Entry): void {
    for (const state of entry.hosts) {
      state.claimants.splice(state.claimants.indexOf(entry), 1);
      this.#outdatedHosts.add(state);
    }
    entry.hosts = [];
  }

  #leaveNames(entry: Entry): void {
    for (const state of entry.names) {
      state.claimants.splice(state.claimants.indexOf(entry), 1);
      this.#outdatedNames.add(state);
    }
    for (const host of entry.tls.hosts) this.#countTlsHost(host, -1);
    entry.names = [];
    entry.tls = noTls;
    this.#spares.delete(entry);
  }

  #countTlsHost(host: string, by: number): void {
    const count = (this.#tlsHostCounts.get(host) ?? 0) + by;
    if (count <= 0) this.#tlsHostCounts.delete(host);
    else this.#tlsHostCounts.set(host, count);
    this.#tlsHostsChanged = true;
  }

  #hostsOfTable(): ReadonlyMap<string, HostRoutes> {
    this.#buildHosts(Number.POSITIVE_INFINITY);
    const updates = new Map(this.#hostUpdates);
    this.#hostUpdates.clear();
    const namers = [...this.#namers].sort((a, b) => compareRank(a.rank, b.rank));
    const claimants = namers.flatMap(({ routes }) => routes ?? []);
    const routesOf = (host: string): HostRoutes | undefined => this.#hosts.get(host)?.result?.routes;
    const before = this.#further;
    if (claimants.length > 0 || before.hosts.size > 0 || before.findings.length > 0) {
      const further = furtherNames(claimants, routesOf, before.hosts);
      for (const name of before.hosts.keys()) updates.set(name, routesOf(name));
      for (const [name, routes] of further.hosts) updates.set(name, routes);
      this.#further = further;
      this.#tlsHostsChanged = true;
    }
    return withEntries(this.#table.hosts, updates);
  }

  #buildHosts(untilMs: number): boolean {
    for (const state of this.#outdatedHosts) {
      this.#outdatedHosts.delete(state);
      this.#buildHost(state);
      this.#ingressNames.revision += 1;
      const result = this.#hosts.get(state.host)?.result;
      this.#hostUpdates.set(state.host, result?.routes);
      this.#solverUpdates.set(state.host, result?.solvers);
      if (performance.now() > untilMs) return this.#outdatedHosts.size === 0;
    }
    return true;
  }

  #buildHost(state: HostState): void {
    if (state.claimants.length === 0) {
      if (this.#hosts.get(state.host) === state) this.#hosts.delete(state.host);
      state.result = undefined;
      return;
    }
    for (const entry of state.claimants) this.#outdatedNotes.add(entry);
    const claimants = state.claimants.flatMap(({ routes }) => routes ?? []);
    const result = buildHostRoutes(state.host, claimants);
    state.result = {
      ...result,
      routes: result.routes && keptRoutes(state.result?.routes, result.routes),
      solvers: result.solvers && keptRoutes(state.result?.solvers, result.solvers),
    };
  }

  #sniOfTable(): ReadonlyMap<string, SniEntry> {
    const updates: [string, SniEntry | undefined][] = [];
    for (const state of this.#outdatedNames) {
      for (const entry of state.claimants) this.#outdatedNotes.add(entry);
      const claims = state.claimants.flatMap(({ tls }) =>
        tls.claims.filter(({ host }) => host === state.name),
      );
      const before = state.result?.entry;
      const decided = decideSni(claims);
      state.result = decided && { ...decided, entry: kept(before, decided.entry) };
      if (decided === undefined && this.#names.get(state.name) === state) this.#names.delete(state.name);
      updates.push([state.name, state.result?.entry]);
    }
    if (updates.length > 0) this.#ingressNames.revision += 1;
    this.#outdatedNames.clear();
    return withEntries(this.#sni, updates);
  }

  #tlsHostsOfTable(): ReadonlySet<string> {
    if (!this.#tlsHostsChanged) return this.#tlsHosts;
    this.#tlsHostsChanged = false;
    const tlsHosts = new Set(this.#tlsHostCounts.keys());
    for (const [name, host] of this.#further.hostOf) if (tlsHosts.has(host)) tlsHosts.add(name);
    return kept(this.#tlsHosts, tlsHosts);
  }

  /** The default backend of the oldest Ingress that has one: it takes what no host has rules for. */
  #fallback(): Route | undefined {
    const routes = this.#fallbacks[0]?.routes;
    return routes?.fallback && fallbackRoute(routes, routes.fallback, routes.fallback.policy);
  }

  #forgetDropped(): void {
    for (const { rank } of this.#dropped) {
      const known = this.#byName.get(rank.name);
      if (known !== undefined && !this.#ingresses.has(known)) this.#byName.delete(rank.name);
    }
    this.#dropped.length = 0;
  }

  /** The same list as long as it holds the same. */
  #allFindings(nowMs: number): readonly Finding[] {
    const findings = [...this.#findings(nowMs), ...this.#emissary.findings(this.#table.hosts)];
    const before = this.#lastFindings;
    const same = before.length === findings.length && findings.every((one, index) => one === before[index]);
    if (!same) this.#lastFindings = findings;
    return this.#lastFindings;
  }

  #findings(nowMs: number): Finding[] {
    // A clock that was set back makes certificates valid again.
    const all = this.#refusals !== this.#backends.refusals || nowMs < this.#notedMs;
    this.#refusals = this.#backends.refusals;
    this.#notedMs = nowMs;
    for (const entry of this.#ingresses.served)
      if (all || entry.expiresMs <= nowMs) this.#outdatedNotes.add(entry);
    for (const entry of this.#outdatedNotes) this.#note(entry, nowMs);
    this.#outdatedNotes.clear();
    const findings = this.#ingresses.classFindings();
    for (const { routeNotes } of this.#ingresses.served)
      if (routeNotes.length > 0) findings.push(...routeNotes);
    findings.push(...fallbackFindings(this.#fallbacks), ...this.#further.findings);
    for (const entry of this.#ingresses.served) {
      if (entry.tlsNotes.length > 0) findings.push(...entry.tlsNotes);
      if (this.#spares.has(entry)) findings.push(...spareFindings(entry, this.#table));
    }
    return findings;
  }

  #note(entry: Entry, nowMs: number): void {
    entry.routeNotes = exactList(routeFindings(entry, this.#backends));
    entry.tlsNotes = exactList(tlsFindings(entry, nowMs));
    entry.expiresMs = entry.tls.certificates.reduce(
      (next, { notAfterMs }) => (notAfterMs > nowMs ? Math.min(next, notAfterMs) : next),
      Number.POSITIVE_INFINITY,
    );
  }

  /** Once the findings are put together. */
  #nextExpiryMs(): number | undefined {
    let next = Number.POSITIVE_INFINITY;
    for (const { expiresMs } of this.#ingresses.served) next = Math.min(next, expiresMs);
    return Number.isFinite(next) ? next : undefined;
  }
}

function removeFrom<T>(list: T[], item: T): void {
  const at = list.indexOf(item);
  if (at >= 0) list.splice(at, 1);
}

function earliest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

function sameParts(a: RoutingTable, b: RoutingTable): boolean {
  return (
    a.hosts === b.hosts &&
    a.solvers === b.solvers &&
    a.fallback === b.fallback &&
    a.mappings === b.mappings &&
    a.backends === b.backends &&
    a.sni === b.sni &&
    a.tlsHosts === b.tlsHosts
  );
}
