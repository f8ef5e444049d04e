import type { RoutingTable } from '../compile/table.ts';
import { type RequestHost, wildcardFor } from '../match/host.ts';
import type { PolicySettings } from './policy-settings.ts';
import type { CheckedHead } from './request-head.ts';
import type { RedirectPolicy } from './route-policy.ts';

/**
 * Where a request goes that came in plain HTTP and is to come over HTTPS, or undefined where it may stay.
 */
export function httpsLocation(
  table: RoutingTable,
  policy: RedirectPolicy,
  { host, path, query }: CheckedHead,
  { httpsPort, sslRedirect }: Pick<PolicySettings, 'httpsPort' | 'sslRedirect'>,
): string | undefined {
  if (httpsPort === undefined || host.name === '') return undefined;
  if (!policy.forceSsl && !((policy.ssl ?? sslRedirect) && hasTls(table, policy, host))) return undefined;
  return `https://${host.name}${httpsPort === 443 ? '' : `:${httpsPort}`}${path}${query}`;
}

/** Whether some Ingress has TLS for the host, or the route's own for all of its rules. */
export function hasTls(table: RoutingTable, policy: RedirectPolicy | undefined, host: RequestHost): boolean {
  if (policy?.tlsForEveryHost === true) return true;
  if (host.nameless) return false;
  if (table.tlsHosts.has(host.name)) return true;
  const wildcard = wildcardFor(host.name);
  return wildcard !== undefined && table.tlsHosts.has(wildcard);
}
