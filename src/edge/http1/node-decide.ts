import type { Backend, Route, RoutingTable } from '../compile/table.ts';
import { findRoute } from '../match/find-route.ts';
import { type RequestHost, wildcardFor } from '../match/host.ts';
import { isAcmeChallengePath } from '../policy/acme-path.ts';
import { checkHead, type HeadLimits, type Refusal } from '../policy/check-head.ts';
import type { RawHead } from '../policy/raw-head.ts';
import type { CheckedHead } from '../policy/request-head.ts';

/** What becomes of a request. */
export type Decision =
  /** Answered with an error; the connection is closed. */
  | { readonly kind: 'refuse'; readonly status: Refusal['status']; readonly reason: string }
  | {
      readonly kind: 'redirect';
      readonly status: 308;
      readonly location: string;
      readonly route: Route;
      readonly head: CheckedHead;
    }
  | {
      readonly kind: 'answer';
      readonly status: 404 | 503;
      readonly reason: string;
      readonly route: Route | undefined;
      readonly head: CheckedHead;
    }
  | {
      readonly kind: 'proxy';
      readonly route: Route;
      readonly backend: Exclude<Backend, { kind: 'unavailable' }>;
      readonly head: CheckedHead;
    };

/** What decisions depend on beside the table and the request. */
export interface DecideSettings {
  readonly limits: HeadLimits;
  /** The port of redirects to HTTPS as clients see it, or undefined where HTTPS is not served. */
  readonly httpsPort: number | undefined;
}

/**
 * The routing decision for a request. Pure, over the plain head:
 *
 *   head --checkHead--> refuse
 *     |--findRoute--> none: answer 404
 *     |--plain HTTP, and the host has TLS: redirect 308 (never for ACME's path)
 *     |--nowhere to forward to: answer 503
 *     '--proxy
 */
export function decide(table: RoutingTable, head: RawHead, settings: DecideSettings): Decision {
  const result = checkHead(head, settings.limits);
  if ('refusal' in result) return { kind: 'refuse', ...result.refusal };
  const { checked } = result;
  const route = findRoute(table, checked.host, checked.path, checked);
  if (route === undefined) return { kind: 'answer', status: 404, reason: 'no route', route, head: checked };
  const location = redirectFor(table, route, checked, settings);
  if (location !== undefined) return { kind: 'redirect', status: 308, location, route, head: checked };
  const answer = (reason: string): Decision => ({
    kind: 'answer',
    status: 503,
    reason,
    route,
    head: checked,
  });
  if (route.policy.refusal !== undefined) return answer(route.policy.refusal);
  const backend = table.backends.get(route.backend);
  if (backend === undefined || backend.kind === 'unavailable')
    return answer(backend?.reason ?? 'there is no such backend');
  if (backend.kind === 'endpoints' && backend.endpoints.length === 0)
    return answer(`Service ${backend.key} has no endpoints that are ready`);
  return { kind: 'proxy', route, backend, head: checked };
}

function redirectFor(
  table: RoutingTable,
  route: Route,
  { connection, host, path, query }: CheckedHead,
  { httpsPort }: DecideSettings,
): string | undefined {
  if (connection.secure || httpsPort === undefined || isAcmeChallengePath(path) || host.name === '')
    return undefined;
  const wanted = route.policy.redirect.forceSsl || (route.policy.redirect.ssl && hasTls(table, route, host));
  const port = httpsPort === 443 ? '' : `:${httpsPort}`;
  return wanted ? `https://${host.name}${port}${path}${query}` : undefined;
}

/** Whether some Ingress has TLS for the host, or the route's own for all of its rules. */
function hasTls(table: RoutingTable, route: Route, host: RequestHost): boolean {
  if (route.policy.redirect.tlsForEveryHost) return true;
  if (host.nameless) return false;
  return table.tlsHosts.has(host.name) || table.tlsHosts.has(wildcardFor(host.name) ?? '');
}
