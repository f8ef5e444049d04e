import { compareMappingOrder, type MappingRoute, type MappingTier } from '../match/mapping-table.ts';
import { serviceOfKey } from './backend-key.ts';
import type { Backend, HostRoutes, Route, RoutingTable } from './table.ts';

/** A routing table as plain values for golden files, logs and tools: sorted, without certificates and keys. */
export function describeTable(table: RoutingTable): unknown {
  const hosts = [...table.hosts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([host, routes]) =>
      routes.host === host ? describeHost(table, routes) : { host, sameAs: routes.host },
    );
  const solvers = [...table.solvers.values()]
    .sort((a, b) => (a.host < b.host ? -1 : 1))
    .map(routes => describeHost(table, routes));
  const mappings = [...table.mappings.values()]
    .sort((a, b) => (a.hostname < b.hostname ? -1 : 1))
    .map(({ hostname, tiers }) => ({
      hostname,
      routes: tiers.flatMap(routesOfTier).map(describeMapping(table)),
    }));
  const sni = [...table.sni]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, entry]) => ({
      name,
      certificate: entry.kind === 'certificate' ? entry.certificate.secret : `default (${entry.reason})`,
    }));
  return {
    hosts,
    ...(solvers.length === 0 ? {} : { solvers }),
    ...(mappings.length === 0 ? {} : { mappings }),
    ...(table.fallback === undefined ? {} : { fallback: describeRoute(table, table.fallback) }),
    sni,
    tlsHosts: [...table.tlsHosts].sort(),
  };
}

function describeHost(table: RoutingTable, routes: HostRoutes): Record<string, unknown> {
  return {
    host: routes.host,
    routes: [
      ...routes.exact.values(),
      ...(routes.root === undefined ? [] : [routes.root]),
      ...[...routes.prefixes.values()].sort((a, b) => (a.path < b.path ? -1 : 1)),
      ...routes.patterns.map(({ route }) => route),
    ].map(route => describeRoute(table, route)),
    ...(routes.fallback === undefined ? {} : { fallback: describeRoute(table, routes.fallback) }),
  };
}

function routesOfTier({ byPrefix, byFoldedPrefix, patterns }: MappingTier): MappingRoute[] {
  const all = [...byPrefix.values(), ...byFoldedPrefix.values(), patterns].flat();
  return all.sort((a, b) => compareMappingOrder(a.order, b.order));
}

function describeMapping(table: RoutingTable): (entry: MappingRoute) => Record<string, unknown> {
  return ({ match, route }) => {
    const { method, headers, query, foldCase } = match;
    const { rewrite, refusal, upstreamHost, allowUpgrade, clientCertificate, redirect } = route.policy;
    return {
      match: `${route.kind} ${route.path}`,
      ...(foldCase ? { foldCase } : {}),
      ...(method === undefined ? {} : { method: method.value ?? method.pattern }),
      ...(headers.length === 0 ? {} : { headers }),
      ...(query.length === 0 ? {} : { query }),
      mapping: `${route.source.namespace}/${route.source.name}`,
      to: describeBackend(table.backends.get(route.backend)),
      ...(rewrite === undefined ? {} : { rewrite }),
      ...(refusal === undefined ? {} : { refusal }),
      ...(redirect.to === undefined ? {} : { redirect: redirect.to }),
      ...(upstreamHost === undefined ? {} : { upstreamHost }),
      ...(allowUpgrade ? { allowUpgrade } : {}),
      ...(clientCertificate === undefined ? {} : { clientCertificate: clientCertificate.mode }),
      ...describeAlternatives(table, route, 'mapping'),
    };
  };
}

function describeAlternatives(
  table: RoutingTable,
  { alternatives }: Route,
  by: 'mapping' | 'ingress',
): Record<string, unknown> {
  if (alternatives.length === 0) return {};
  const described = alternatives.map(({ source, when, backend }) => ({
    [by]: `${source.namespace}/${source.name}`,
    share: `${when.weight} of ${when.total}`,
    to: describeBackend(table.backends.get(backend)),
  }));
  return { alternatives: described };
}

function describeRoute(table: RoutingTable, route: Route): Record<string, unknown> {
  const { ssl, forceSsl, tlsForEveryHost, to } = route.policy.redirect;
  return {
    match: route.kind === 'Default' ? 'Default' : `${route.kind} ${route.path}`,
    ingress: `${route.source.namespace}/${route.source.name}`,
    ...(to === undefined ? { to: describeBackend(table.backends.get(route.backend)) } : { redirect: to }),
    ...describeAlternatives(table, route, 'ingress'),
    ...(ssl === false ? { sslRedirect: false } : {}),
    ...(forceSsl ? { forceSslRedirect: true } : {}),
    ...(tlsForEveryHost ? { tlsForEveryHost: true } : {}),
  };
}

function describeBackend(backend: Backend | undefined): Record<string, unknown> {
  if (backend === undefined) return { unavailable: 'there is no such backend' };
  if (backend.kind === 'unavailable')
    return { service: serviceOfKey(backend.key), unavailable: backend.reason };
  const { tls } = backend;
  const place =
    backend.kind === 'external'
      ? { external: `${backend.host}:${backend.port}` }
      : { endpoints: backend.endpoints.map(({ address, port }) => `${address}:${port}`) };
  if (tls === undefined) return { service: serviceOfKey(backend.key), ...place };
  const { verify, verifiedName, serverName } = tls;
  const described = {
    verify,
    verifiedName,
    serverName: serverName ?? null,
    authorities: tls.ca === undefined ? 'system' : 'given',
    clientCertificate: tls.client !== undefined,
  };
  return { service: serviceOfKey(backend.key), ...place, tls: described };
}
