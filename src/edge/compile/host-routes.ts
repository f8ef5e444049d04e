import { type Finding, type FindingReason, findingReasons } from '../finding.ts';
import { isAcmeChallengePath } from '../policy/acme-path.ts';
import type { RoutePolicy } from '../policy/route-policy.ts';
import { quoted } from './annotations.ts';
import { alternativesOf } from './canaries.ts';
import { hostPolicy } from './host-policy.ts';
import { HostRoutesBuilder } from './host-routes-builder.ts';
import type { IngressRoutes, PathClaim } from './ingress-routes.ts';
import { type PathRule, readPathRule, readRegexPathRule } from './path-rule.ts';
import type { Alternative, HostRoutes, Route, SourceRef } from './table.ts';

/** The routes of a host, and what the owners of its Ingresses should know. */
export interface HostResult {
  /** Undefined where no Ingress has a rule for the host, but at most a canary. */
  readonly routes: HostRoutes | undefined;
  readonly findings: ReadonlyMap<IngressRoutes, readonly Finding[]>;
  /** Whose default backend takes what no path matches. */
  readonly fallbackOwner: IngressRoutes | undefined;
}

/** Merges what Ingresses want of a host, the oldest first (edge.md, statements 5 to 8). */
export function buildHostRoutes(host: string, claimants: readonly IngressRoutes[]): HostResult {
  return new HostCompiler(host, claimants).build();
}

class HostCompiler {
  readonly #host: string;
  readonly #mains: readonly IngressRoutes[];
  readonly #canaries: readonly IngressRoutes[];
  /** One Ingress with use-regex or rewrite-target makes all paths of the host patterns, as in ingress-nginx. */
  readonly #patterns: boolean;
  readonly #findings = new Map<IngressRoutes, Finding[]>();

  constructor(host: string, claimants: readonly IngressRoutes[]) {
    this.#host = host;
    this.#mains = claimants.filter(({ settings }) => settings.canary === undefined);
    this.#canaries = claimants.filter(({ settings }) => settings.canary !== undefined);
    this.#patterns = this.#mains.some(({ settings }) => settings.useRegex);
  }

  build(): HostResult {
    const builder = new HostRoutesBuilder(this.#host);
    const policyOf = hostPolicy(this.#host, this.#mains, this.#note);
    const canaries = alternativesOf(this.#host, this.#canaries, this.#ruleOf, this.#note);
    let fallbackOwner: IngressRoutes | undefined;
    for (const main of this.#mains) {
      for (const claim of main.hosts.get(this.#host) ?? []) {
        const rule = this.#ruleOf(main, claim);
        if (rule === undefined) continue;
        const policy = claim.solver ? claim.policy : policyOf(main, claim.policy);
        const { source } = main;
        const taken = builder.taken(rule);
        if (taken !== undefined) {
          this.#note(main, findingReasons.pathConflict, pathConflict(main, this.#host, claim, rule, taken));
          continue;
        }
        const alternatives = claim.solver
          ? []
          : [...canaries.take(rule, main, policy), ...withoutTls(source, claim, policy)];
        const path = claim.path.path ?? '';
        const { backend } = claim;
        builder.add(rule, { source, host: this.#host, path, kind: rule.kind, policy, backend, alternatives });
      }
      if (main.fallback === undefined || fallbackOwner !== undefined) continue;
      fallbackOwner = main;
      builder.setFallback(fallbackRoute(main, main.fallback, policyOf(main, main.fallback.policy)));
    }
    canaries.noteUnused();
    const routes = this.#mains.length === 0 ? undefined : builder.build();
    return { routes, findings: this.#findings, fallbackOwner };
  }

  readonly #note = (from: IngressRoutes, reason: FindingReason, message: string): void => {
    const finding: Finding = { object: from.ingress, reason, message };
    const known = this.#findings.get(from);
    if (known === undefined) this.#findings.set(from, [finding]);
    else known.push(finding);
  };

  readonly #ruleOf = (from: IngressRoutes, claim: PathClaim): PathRule | undefined => {
    const text = claim.path.path ?? '';
    // What an authority asks for is answered first, whatever patterns the site has.
    const asPattern = this.#patterns && !isAcmeChallengePath(text);
    const rule = asPattern ? readRegexPathRule(claim.path) : readPathRule(claim.path, claim.mode);
    if (!('error' in rule)) return rule;
    const message = `the path ${quoted(text)} of host ${quoted(this.#host)} is passed over: ${rule.error}`;
    this.#note(from, findingReasons.pathInvalid, message);
    return undefined;
  };
}

/** The route to a default backend. It has no host of its own. */
export function fallbackRoute({ source }: IngressRoutes, claim: PathClaim, policy: RoutePolicy): Route {
  const alternatives = withoutTls(source, claim, policy);
  return { source, host: '', path: '', kind: 'Default', policy, backend: claim.backend, alternatives };
}

/** Where requests go that came without TLS, if they go without it to the upstream too (AUTO_HTTP). */
function withoutTls(source: SourceRef, { plainBackend }: PathClaim, policy: RoutePolicy): Alternative[] {
  if (plainBackend === undefined) return [];
  const header = { name: ':scheme', value: 'http', pattern: undefined };
  const when = { header, cookie: undefined, weight: 0, total: 100 };
  return [{ source, when, policy, backend: plainBackend }];
}

function pathConflict(
  { source }: IngressRoutes,
  host: string,
  { path }: PathClaim,
  { kind }: PathRule,
  taken: Route,
): string {
  const { source: owner } = taken;
  const what = `the path ${quoted(path.path ?? '')} (${kind}) of host ${quoted(host)}`;
  const same = owner.namespace === source.namespace && owner.name === source.name;
  return same
    ? `${what} is there twice: the first one counts`
    : `${what} is not used: the older Ingress "${owner.namespace}/${owner.name}" has it`;
}
