import type { RoutingTable } from '../compile/table.ts';
import { type RequestHost, wildcardFor } from '../match/host.ts';
import type { Denial } from './guards.ts';
import type { PolicySettings } from './policy-settings.ts';
import type { CheckedHead } from './request-head.ts';
import type { RedirectPolicy } from './route-policy.ts';

/**
 * Judges a request that came in plain HTTP: undefined where it may stay. It is sent to HTTPS where that is asked for, and
 * refused where it names no host to be sent to: it is never forwarded in the clear.
 */
export function judgePlainHttp(
  table: RoutingTable,
  policy: RedirectPolicy,
  { host, path, query }: CheckedHead,
  { httpsPort, sslRedirect }: Pick<PolicySettings, 'httpsPort' | 'sslRedirect'>,
): Denial | undefined {
  if (httpsPort === undefined) return undefined;
  if (!policy.forceSsl && !((policy.ssl ?? sslRedirect) && hasTls(table, policy, host))) return undefined;
  if (host.name === '')
    return { status: 400, reason: 'HTTPS is asked for, and no host is named', fields: [] };
  const location = `https://${host.name}${httpsPort === 443 ? '' : `:${httpsPort}`}${path}${query}`;
  return { status: 308, reason: 'HTTPS is asked for', fields: ['Location', location] };
}

/** Whether some Ingress has TLS for the host, or the route's own for all of its rules. */
export function hasTls(table: RoutingTable, policy: RedirectPolicy | undefined, host: RequestHost): boolean {
  if (policy?.tlsForEveryHost === true) return true;
  if (host.nameless) return false;
  if (table.tlsHosts.has(host.name)) return true;
  const wildcard = wildcardFor(host.name);
  return wildcard !== undefined && table.tlsHosts.has(wildcard);
}
