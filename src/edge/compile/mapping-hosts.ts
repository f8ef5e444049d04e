import {
  compareMappingOrder,
  type MappingHost,
  type MappingRoute,
  type MappingTier,
} from '../match/mapping-table.ts';

/** A route of Mappings and the hosts that it is for. */
export interface HostedRoute {
  readonly host: Omit<MappingHost, 'tiers'>;
  readonly entry: MappingRoute;
}

/** Lays routes out by host, and below that by precedence and length of prefix. */
export function mappingHosts(routes: readonly HostedRoute[]): Map<string, MappingHost> {
  const hosts = new Map<string, MappingHost>();
  const byHost = Map.groupBy(routes, ({ host }) => host.hostname);
  for (const [hostname, hosted] of byHost) {
    const first = hosted[0];
    if (first === undefined) continue;
    const entries = hosted.map(({ entry }) => entry).sort((a, b) => compareMappingOrder(a.order, b.order));
    const tiers = Map.groupBy(entries, ({ order }) => `${order.precedence} ${order.length}`);
    hosts.set(hostname, Object.freeze({ ...first.host, tiers: [...tiers.values()].map(tierOf) }));
  }
  return hosts;
}

function tierOf(entries: readonly MappingRoute[]): MappingTier {
  const { precedence = 0, length = 0 } = entries[0]?.order ?? {};
  const literal = entries.filter(({ match }) => match.path !== 'pattern');
  return {
    precedence,
    length,
    byPrefix: Map.groupBy(
      literal.filter(({ match }) => !match.foldCase),
      ({ match }) => match.prefix,
    ),
    byFoldedPrefix: Map.groupBy(
      literal.filter(({ match }) => match.foldCase),
      ({ match }) => match.prefix,
    ),
    patterns: entries.filter(({ match }) => match.path === 'pattern'),
  };
}
