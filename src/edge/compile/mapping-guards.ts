import { wildcardFor } from '../match/host.ts';
import type { MappingHost, MappingOrder, MappingRoute } from '../match/mapping-table.ts';
import type { RoutePolicy } from '../policy/route-policy.ts';
import type { ContextsResult, HostGuard } from './compile-contexts.ts';
import type { ReadMapping } from './mapping-group.ts';

/** A host that a Mapping is placed at, and what becomes of its policy there. */
export interface Placement {
  readonly host: Omit<MappingHost, 'tiers'>;
  readonly within: MappingRoute['within'];
  readonly order: MappingOrder;
  readonly change: (policy: RoutePolicy) => RoutePolicy;
}

/**
 * Where a Mapping is placed. TLSContexts can ask the clients of single hosts for certificates; a Mapping for many hosts is
 * then placed at each of those too, where it stands before itself, with the guard.
 */
export function guardsFor(mapping: ReadMapping, contexts: ContextsResult): Placement[] {
  const { host } = mapping.read;
  const general = contexts.guards.get('*');
  const redirectsAll = contexts.redirected.has('*');
  if (host.kind === 'name') {
    const own =
      contexts.guards.get(host.text) ?? contexts.guards.get(wildcardFor(host.text) ?? '') ?? general;
    return [{ host, within: undefined, order: mapping.order, change: changeFor(own, redirectsAll) }];
  }
  const placements: Placement[] = [
    { host, within: undefined, order: mapping.order, change: changeFor(general, redirectsAll) },
  ];
  for (const [guarded, guard] of contexts.guards) {
    if (guarded === '*' || !overlaps(host, guarded)) continue;
    // Just before itself, and behind what stood before it.
    const headers = mapping.order.headers + 0.5;
    placements.push({
      host: hostOf(guarded),
      within: host.kind === 'any' ? undefined : host,
      order: { ...mapping.order, headers },
      change: changeFor(guard, redirectsAll),
    });
  }
  return placements;
}

function changeFor(guard: HostGuard | undefined, forceSsl: boolean): (policy: RoutePolicy) => RoutePolicy {
  return policy => {
    const redirect =
      forceSsl || guard !== undefined ? { ...policy.redirect, forceSsl: true } : policy.redirect;
    if (guard === undefined) return forceSsl ? { ...policy, redirect } : policy;
    if ('error' in guard) return { ...policy, redirect, refusal: guard.error };
    return { ...policy, redirect, clientCertificate: guard.policy };
  };
}

/** Whether some host of a Mapping can be one of a guarded name or one-label wildcard. Said too often, it costs a look-up. */
function overlaps({ kind, text }: Omit<MappingHost, 'tiers'>, guarded: string): boolean {
  const name = guarded.replace(/^\*/, '');
  if (kind === 'suffix') return name.endsWith(text) || text.endsWith(name);
  return kind !== 'prefix' || guarded.startsWith('*') || name.startsWith(text);
}

/** A star stands for one label, as in handshakes; that of a Mapping's hostname stands for more. */
function hostOf(guarded: string): Omit<MappingHost, 'tiers'> {
  if (!guarded.startsWith('*')) return { hostname: guarded, kind: 'name', text: guarded };
  const text = `[^.]+${guarded.slice(1).replaceAll('.', '\\.')}`;
  return { hostname: `~${text}`, kind: 'pattern', text };
}
