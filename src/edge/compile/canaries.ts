import { type FindingReason, findingReasons } from '../finding.ts';
import type { RoutePolicy } from '../policy/route-policy.ts';
import { quoted } from './annotations.ts';
import { claimsOf, type IngressRoutes, type PathClaim } from './ingress-routes.ts';
import type { PathRule } from './path-rule.ts';
import type { Alternative } from './table.ts';

interface Canary {
  readonly from: IngressRoutes;
  readonly claim: PathClaim;
}

/** The canaries of a host. */
export interface Canaries {
  /** The alternatives of a route: the canary of its namespace for the same path. What guards the route guards them too. */
  take(rule: PathRule, main: IngressRoutes, policy: RoutePolicy): readonly Alternative[];
  /** Tells the owners of those that no route took. */
  noteUnused(): void;
}

type Note = (from: IngressRoutes, reason: FindingReason, message: string) => void;

/** Gathers the canaries of a host, the oldest first: there is one for each path (ingress-nginx, canary). */
export function alternativesOf(
  host: string,
  canaries: readonly IngressRoutes[],
  ruleOf: (from: IngressRoutes, claim: PathClaim) => PathRule | undefined,
  note: Note,
): Canaries {
  const waiting = new Map<string, Canary>();
  for (const from of canaries) {
    for (const claim of claimsOf(from, host)) {
      const rule = ruleOf(from, claim);
      if (rule === undefined) continue;
      const key = keyOf(rule, from);
      const older = waiting.get(key);
      if (older === undefined) {
        waiting.set(key, { from, claim });
        continue;
      }
      const { namespace, name } = older.from.source;
      const message = `it is no canary for the path ${quoted(claim.path.path ?? '')} of host ${quoted(host)}: the older canary "${namespace}/${name}" has it`;
      note(from, findingReasons.pathConflict, message);
    }
  }
  return {
    take(rule, main, policy) {
      const key = keyOf(rule, main);
      const canary = waiting.get(key);
      const when = canary?.from.settings.canary;
      if (canary === undefined || when === undefined) return [];
      waiting.delete(key);
      const { source } = canary.from;
      // A canary that cannot be honoured must not be served without what it asks for.
      const refusal = policy.refusal ?? canary.from.policy.refusal;
      const guarded = refusal === policy.refusal ? policy : Object.freeze({ ...policy, refusal });
      return [{ source, when, policy: guarded, backend: canary.claim.backend }];
    },
    noteUnused() {
      for (const { from, claim } of waiting.values()) {
        const { namespace } = from.source;
        const message = `it is no canary for the path ${quoted(claim.path.path ?? '')} of host ${quoted(host)}: no Ingress of namespace "${namespace}" that is no canary has that path with the same pathType`;
        note(from, findingReasons.canaryWithoutMain, message);
      }
    },
  };
}

function keyOf({ kind, key }: PathRule, { source }: IngressRoutes): string {
  return `${source.namespace} ${kind} ${key}`;
}
