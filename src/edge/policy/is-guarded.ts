import type { RoutePolicy } from './route-policy.ts';

/** Whether somebody may be kept away. */
export function isGuarded(policy: RoutePolicy): boolean {
  return (
    policy.refusal !== undefined ||
    policy.sourceRanges !== undefined ||
    policy.basicAuth !== undefined ||
    policy.externalAuth !== undefined ||
    policy.clientCertificate !== undefined
  );
}

/** Whether two policies keep the same away. */
export function sameGuards(a: RoutePolicy, b: RoutePolicy): boolean {
  return (
    a === b ||
    (a.refusal === b.refusal &&
      a.sourceRanges === b.sourceRanges &&
      a.basicAuth === b.basicAuth &&
      a.externalAuth === b.externalAuth &&
      a.satisfy === b.satisfy &&
      a.clientCertificate?.id === b.clientCertificate?.id)
  );
}
