import type { RoutingTable, SniEntry } from '../compile/table.ts';
import { wildcardFor } from '../match/host.ts';

/** Which entry serves a name: the exact one, else that of its one-label wildcard, else the default (edge.md, statement 16). */
export function sniEntryFor(table: RoutingTable, serverName: string): SniEntry | undefined {
  const name = normalServerName(serverName);
  return table.sni.get(name) ?? table.sni.get(wildcardFor(name) ?? '') ?? table.sni.get('');
}

/** In lower case, without the dot of the root. */
export function normalServerName(serverName: string): string {
  const lower = serverName.toLowerCase();
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}
