import type { Backend, HostRoutes, Route, RoutingTable, SniEntry } from '../compile/table.ts';
import type { MappingHost } from '../match/mapping-table.ts';

/** What is other in a map: entries that are new or another object, and keys that are gone. */
export interface MapChanges<V> {
  readonly set: readonly (readonly [key: string, value: V])[];
  readonly removed: readonly string[];
}

/** What leads from one table to another. */
export interface TableChanges {
  readonly hosts: MapChanges<HostRoutes>;
  readonly solvers: MapChanges<HostRoutes>;
  readonly mappings: MapChanges<MappingHost>;
  readonly backends: MapChanges<Backend>;
  readonly sni: MapChanges<SniEntry>;
  readonly tlsHosts: MapChanges<true>;
  /** Undefined: it is the same. */
  readonly fallback: { readonly route: Route | undefined } | undefined;
}

/** Compares by identity: what has not changed is the same object in both. */
export function tableChanges(before: RoutingTable, after: RoutingTable): TableChanges {
  return {
    hosts: mapChanges(before.hosts, after.hosts),
    solvers: mapChanges(before.solvers, after.solvers),
    mappings: mapChanges(before.mappings, after.mappings),
    backends: mapChanges(before.backends, after.backends),
    sni: mapChanges(before.sni, after.sni),
    tlsHosts: {
      set:
        before.tlsHosts === after.tlsHosts
          ? []
          : [...missingIn(before.tlsHosts, after.tlsHosts)].map(trueFor),
      removed: before.tlsHosts === after.tlsHosts ? [] : [...missingIn(after.tlsHosts, before.tlsHosts)],
    },
    fallback: before.fallback === after.fallback ? undefined : { route: after.fallback },
  };
}

const trueFor = (key: string): [string, true] => [key, true];

function* missingIn(set: ReadonlySet<string>, keys: Iterable<string>): Generator<string> {
  for (const key of keys) if (!set.has(key)) yield key;
}

function mapChanges<V>(before: ReadonlyMap<string, V>, after: ReadonlyMap<string, V>): MapChanges<V> {
  if (before === after) return { set: [], removed: [] };
  const set: [string, V][] = [];
  for (const entry of after) if (before.get(entry[0]) !== entry[1]) set.push(entry);
  const removed: string[] = [];
  for (const key of before.keys()) if (!after.has(key)) removed.push(key);
  return { set, removed };
}

/** The table that the changes lead to. What they do not name stays the same object. */
export function changedTable(before: RoutingTable, changes: TableChanges): RoutingTable {
  const { set, removed } = changes.tlsHosts;
  const tlsHosts =
    set.length + removed.length === 0
      ? before.tlsHosts
      : new Set(changedMap(new Map([...before.tlsHosts].map(trueFor)), changes.tlsHosts).keys());
  return Object.freeze({
    hosts: changedMap(before.hosts, changes.hosts),
    solvers: changedMap(before.solvers, changes.solvers),
    mappings: changedMap(before.mappings, changes.mappings),
    backends: changedMap(before.backends, changes.backends),
    sni: changedMap(before.sni, changes.sni),
    tlsHosts,
    fallback: changes.fallback === undefined ? before.fallback : changes.fallback.route,
  });
}

function changedMap<V>(
  before: ReadonlyMap<string, V>,
  { set, removed }: MapChanges<V>,
): ReadonlyMap<string, V> {
  if (set.length + removed.length === 0) return before;
  const after = new Map(before);
  for (const key of removed) after.delete(key);
  for (const [key, value] of set) after.set(key, value);
  return after;
}

const nothing = { set: [], removed: [] };
const noChanges: TableChanges = {
  hosts: nothing,
  solvers: nothing,
  mappings: nothing,
  backends: nothing,
  sni: nothing,
  tlsHosts: nothing,
  fallback: undefined,
};

/** The same changes in parts of at most so many entries, to be made in turn: one large message would hold up a process. */
export function* inParts(changes: TableChanges, entries: number): Generator<TableChanges> {
  // Backends first: a route is never there without the backend that it names.
  for (const name of ['backends', 'sni', 'tlsHosts', 'mappings', 'solvers', 'hosts'] as const) {
    const { set, removed } = changes[name];
    for (let at = 0; at < set.length; at += entries)
      yield { ...noChanges, [name]: { set: set.slice(at, at + entries), removed: [] } };
    if (removed.length > 0) yield { ...noChanges, [name]: { set: [], removed } };
  }
  yield { ...noChanges, fallback: changes.fallback };
}
