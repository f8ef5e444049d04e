import type { HostRoutes, HostTlsSettings, RoutingTable } from '../compile/table.ts';
import { wildcardFor } from '../match/host.ts';
import type { ClientCertificatePolicy } from '../policy/route-policy.ts';
import { sniEntryFor } from './sni-entry.ts';

/** How TLS is spoken with the clients of one name, where it is not as with all others. */
export interface TlsProfile {
  /** Equal for equal profiles. */
  readonly id: string;
  readonly settings: HostTlsSettings | undefined;
  /** The certificate that clients are asked for. */
  readonly clientCertificate: ClientCertificatePolicy | undefined;
}

/**
 * The profile of a server name in lower case, `''` for a client that names none; undefined where it is spoken as with all
 * others. A host asks for one kind of client certificate: where its routes have several policies, the others refuse. What
 * an Ingress of the host asks for goes before what a TLSContext does.
 */
export function tlsProfileFor(table: RoutingTable, serverName: string): TlsProfile | undefined {
  const settings = sniEntryFor(table, serverName)?.settings;
  const clientCertificate =
    ownPolicy(table, serverName) ?? settings?.clientCertificate ?? generalPolicy(table, serverName);
  if (settings === undefined && clientCertificate === undefined) return undefined;
  return { id: `${settings?.id ?? ''} ${clientCertificate?.id ?? ''}`, settings, clientCertificate };
}

/** Whether any name of the table has a profile: if none has, no connection need be asked for its name beforehand. */
export function hasTlsProfiles({ fallback, hosts, sni }: RoutingTable): boolean {
  return fallback?.policy.clientCertificate !== undefined || anyPolicy(hosts) || anySettings(sni);
}

/** Most tables have the maps of the one before: only endpoints are other. */
const known = new WeakMap<object, boolean>();

function anyPolicy(hosts: RoutingTable['hosts']): boolean {
  return knownOr(hosts, () => {
    for (const routes of hosts.values()) if (policyOf(routes) !== undefined) return true;
    return false;
  });
}

function anySettings(sni: RoutingTable['sni']): boolean {
  return knownOr(sni, () => {
    for (const { settings } of sni.values()) if (settings !== undefined) return true;
    return false;
  });
}

function knownOr(map: object, find: () => boolean): boolean {
  const before = known.get(map);
  if (before !== undefined) return before;
  const found = find();
  known.set(map, found);
  return found;
}

/** The policy of the host's own routes. */
function ownPolicy(table: RoutingTable, serverName: string): ClientCertificatePolicy | undefined {
  const routes = hostRoutesOf(table, serverName);
  return routes && policyOf(routes);
}

/** The policy of what takes requests for hosts that have none of their own. */
function generalPolicy(table: RoutingTable, serverName: string): ClientCertificatePolicy | undefined {
  const hostless = hostRoutesOf(table, serverName) === undefined ? table.hosts.get('') : undefined;
  return (hostless && policyOf(hostless)) ?? table.fallback?.policy.clientCertificate;
}

function hostRoutesOf({ hosts }: RoutingTable, serverName: string): HostRoutes | undefined {
  return hosts.get(serverName) ?? hosts.get(wildcardFor(serverName) ?? serverName);
}

/** Hosts that did not change are the same objects from table to table. */
const policies = new WeakMap<HostRoutes, ClientCertificatePolicy | undefined>();

function policyOf(routes: HostRoutes): ClientCertificatePolicy | undefined {
  if (policies.has(routes)) return policies.get(routes);
  const found = findPolicy(routes);
  policies.set(routes, found);
  return found;
}

function findPolicy(routes: HostRoutes): ClientCertificatePolicy | undefined {
  for (const route of routesOf(routes)) {
    if (route.policy.clientCertificate !== undefined) return route.policy.clientCertificate;
    for (const { policy } of route.alternatives)
      if (policy.clientCertificate !== undefined) return policy.clientCertificate;
  }
  return undefined;
}

function* routesOf(routes: HostRoutes) {
  if (routes.root !== undefined) yield routes.root;
  yield* routes.prefixes.values();
  yield* routes.exact.values();
  for (const { route } of routes.patterns) yield route;
  if (routes.fallback !== undefined) yield routes.fallback;
}
