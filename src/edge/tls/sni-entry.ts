import type { RoutingTable, SniEntry } from '../compile/table.ts';
import { namedByMapping } from '../match/find-mapping.ts';
import { wildcardFor } from '../match/host.ts';

/** Which entry serves a name: the exact one, else that of its one-label wildcard, else the default (edge.md, statement 16). */
export function sniEntryFor(table: RoutingTable, serverName: string): SniEntry | undefined {
  const name = normalServerName(serverName);
  const exact = table.sni.get(name);
  if (exact !== undefined && !exact.spare) return exact;
  const wide = table.sni.get(wildcardFor(name) ?? '*');
  if (wide !== undefined && !wide.spare) return wide;
  const spare = exact ?? wide;
  return spare === undefined || isNamed(table, name) ? table.sni.get('') : spare;
}

/** Whether an Ingress or a Mapping names this host, or a wildcard for it. */
export function isNamed({ hosts, tlsHosts, mappings }: RoutingTable, name: string): boolean {
  const wildcard = wildcardFor(name) ?? name;
  return (
    hosts.has(name) ||
    hosts.has(wildcard) ||
    tlsHosts.has(name) ||
    tlsHosts.has(wildcard) ||
    namedByMapping(mappings, name)
  );
}

/** In lower case, without the dot of the root. */
export function normalServerName(serverName: string): string {
  const lower = serverName.toLowerCase();
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}
