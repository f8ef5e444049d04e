import type { HostRoutes, PatternRoute, Route, RoutingTable } from '../compile/table.ts';
import { findMapping, type MappingRequest } from './find-mapping.ts';
import { type RequestHost, wildcardFor } from './host.ts';
import { elementCount, firstElements } from './path-elements.ts';

/**
 * The route for a host and a canonical path, or undefined where nothing matches: 404. A precise host comes
 * before a wildcard and that before rules without a host; a path that misses in the host found goes to a
 * default backend, never to the next host (Kubernetes, Ingress: hostname wildcards; edge.md, statements 1 to 8). What
 * carries a challenge for a name, and nothing else, is no host in this: it takes its own paths.
 *
 * Mappings take what no rule of an Ingress is for, before default backends do: whoever may write a Mapping takes no
 * requests from an Ingress, and solvers of challenges come first. Rules without a host are less than a Mapping that names
 * its host, as they are less than rules that do. Where there are Mappings, `request` is needed to choose among them.
 */
export function findRoute(
  table: RoutingTable,
  host: RequestHost,
  path: string,
  request?: MappingRequest,
): Route | undefined {
  const solvers = table.solvers.size === 0 || host.nameless ? undefined : table.solvers.get(host.name);
  const challenge = solvers && routeInHost(solvers, path);
  if (challenge !== undefined) return challenge;
  const routes = hostRoutesFor(table, host);
  if (table.mappings.size === 0 || request === undefined) {
    if (routes === undefined) return table.fallback;
    return routeInHost(routes, path) ?? routes.fallback ?? table.fallback;
  }
  const ruled = routes && routeInHost(routes, path);
  if (ruled !== undefined && routes?.host !== '') return ruled;
  const mapping = findMapping(table.mappings, host, path, request);
  const mapped = mapping?.found.route;
  const first = mapping?.anyHost === false ? (mapped ?? ruled) : (ruled ?? mapped);
  return first ?? routes?.fallback ?? table.fallback;
}

function hostRoutesFor(table: RoutingTable, host: RequestHost): HostRoutes | undefined {
  if (!host.nameless) {
    const precise = table.hosts.get(host.name);
    if (precise !== undefined) return precise;
    const wildcard = wildcardFor(host.name);
    const wide = wildcard === undefined ? undefined : table.hosts.get(wildcard);
    if (wide !== undefined) return wide;
  }
  return table.hosts.get('');
}

/** Longest path first, counted in elements, then Exact, Prefix, regular expression. */
function routeInHost(routes: HostRoutes, path: string): Route | undefined {
  const exact = routes.exact.get(path);
  if (exact !== undefined) return exact;
  let key = firstElements(path, routes.deepestPrefix);
  // `/foo` and `/foo/` have one prefix key; a whole path may still carry the slash.
  if (key.endsWith('/')) key = key.slice(0, -1);
  while (key !== '') {
    const prefix = routes.prefixes.get(key);
    if (prefix !== undefined) return firstMatch(routes.patterns, path, elementCount(key)) ?? prefix;
    key = key.slice(0, key.lastIndexOf('/'));
  }
  return firstMatch(routes.patterns, path, routes.root === undefined ? -1 : 0) ?? routes.root;
}

/** The patterns are sorted: the first that matches, as long as they are longer than the prefix found. */
function firstMatch(patterns: readonly PatternRoute[], path: string, above: number): Route | undefined {
  for (const { pattern, elements, route } of patterns) {
    if (elements <= above) return undefined;
    if (pattern.matches(path)) return route;
  }
  return undefined;
}
