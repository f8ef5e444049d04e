import type { CheckedHead } from './request-head.ts';
import { fillTemplate, type TemplateFacts } from './request-template.ts';
import { plainPolicy, type RedirectPolicy, type RoutePolicy } from './route-policy.ts';

/** A redirect that an Ingress asks for: the status, and what Location says. */
export interface Redirect {
  readonly status: number;
  readonly location: string;
}

/** Where every request goes, or those for `/`. Undefined where the policy names nothing for this one. */
export function redirectOf(
  policy: RedirectPolicy,
  head: CheckedHead,
  more?: TemplateFacts,
): Redirect | undefined {
  const { to, appRoot } = policy;
  if (to !== undefined) {
    const location = fillTemplate(to.location, head, more);
    return { status: to.status, location: to.keepPath ? `${location}${head.path}${head.query}` : location };
  }
  // A path alone: it is the client that knows by which name and port it came.
  if (appRoot !== undefined && head.path === '/') return { status: 302, location: appRoot };
  return undefined;
}

/**
 * The policy of a host that leads to another name with everything else kept: `www.foo.com` to `foo.com`, or back. Plain HTTP
 * stays so on the way: the other name decides on HTTPS, and this one needs no certificate.
 */
export function otherNamePolicy(host: string): RoutePolicy {
  const to = { status: 308, location: `$scheme://${host}$port_suffix`, keepPath: true };
  return Object.freeze({
    ...plainPolicy,
    redirect: Object.freeze({ ...plainPolicy.redirect, ssl: false, to }),
  });
}
