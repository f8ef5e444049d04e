import { serviceOfKey } from './backend-key.ts';
import type { Backend, Route, RoutingTable } from './table.ts';

/** A routing table as plain values for golden files, logs and tools: sorted, without certificates and keys. */
export function describeTable(table: RoutingTable): unknown {
  const hosts = [...table.hosts.values()]
    .sort((a, b) => (a.host < b.host ? -1 : 1))
    .map(routes => ({
      host: routes.host,
      routes: [
        ...routes.exact.values(),
        ...[...routes.prefixes.values()].sort((a, b) => (a.path < b.path ? -1 : 1)),
        ...routes.patterns.map(({ route }) => route),
      ].map(route => describeRoute(table, route)),
      ...(routes.fallback === undefined ? {} : { fallback: describeRoute(table, routes.fallback) }),
    }));
  const sni = [...table.sni]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, entry]) => ({
      name,
      certificate: entry.kind === 'certificate' ? entry.certificate.secret : `default (${entry.reason})`,
    }));
  return {
    hosts,
    ...(table.fallback === undefined ? {} : { fallback: describeRoute(table, table.fallback) }),
    sni,
    tlsHosts: [...table.tlsHosts].sort(),
  };
}

function describeRoute(table: RoutingTable, route: Route): Record<string, unknown> {
  const { ssl, forceSsl, tlsForEveryHost } = route.policy.redirect;
  return {
    match: route.kind === 'Default' ? 'Default' : `${route.kind} ${route.path}`,
    ingress: `${route.source.namespace}/${route.source.name}`,
    to: describeBackend(table.backends.get(route.backend)),
    ...(ssl ? {} : { sslRedirect: false }),
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
