import { type Finding, type FindingReason, findingReasons } from '../finding.ts';
import { isAcmeChallengePath } from '../policy/acme-path.ts';
import { isGuarded } from '../policy/is-guarded.ts';
import { plainPolicy, type RoutePolicy } from '../policy/route-policy.ts';
import { quoted } from './annotations.ts';
import { alternativesOf } from './canaries.ts';
import { hostPolicy } from './host-policy.ts';
import { HostRoutesBuilder } from './host-routes-builder.ts';
import { claimsOf, type IngressRoutes, isForChallenges, type PathClaim } from './ingress-routes.ts';
import { type PathError, type PathRule, readPathRule, readRegexPathRule } from './path-rule.ts';
import type { Alternative, HostRoutes, Route, SourceRef } from './table.ts';

/** The routes of a host, and what the owners of its Ingresses should know. */
export interface HostResult {
  /** Undefined where no Ingress has a rule for the host, but at most a canary or a challenge. */
  readonly routes: HostRoutes | undefined;
  /** Those of challenges, where the host is a name and nothing but challenges has rules for it. */
  readonly solvers: HostRoutes | undefined;
  readonly findings: ReadonlyMap<IngressRoutes, readonly Finding[]>;
  /** The oldest Ingress that has rules for the host, and not those of challenges alone. */
  readonly owner: IngressRoutes | undefined;
  /** Whose default backend takes what no path matches. */
  readonly fallbackOwner: IngressRoutes | undefined;
}

/** One for all: what many routes share stays in the processor's caches. */
const noAlternatives: readonly Alternative[] = Object.freeze([]);

/** Merges what Ingresses want of a host, the oldest first (edge.md, statements 5 to 8). */
export function buildHostRoutes(host: string, claimants: readonly IngressRoutes[]): HostResult {
  return new HostCompiler(host, claimants).build();
}

/** An empty map takes as much memory as one with four entries, and most hosts have one. */
const noFindings: HostResult['findings'] = new Map();

class HostCompiler {
  readonly #host: string;
  readonly #mains: readonly IngressRoutes[];
  /** The mains whose host it is: the others have come for a challenge, and nothing of theirs holds for the host. */
  readonly #owners: readonly IngressRoutes[];
  readonly #canaries: readonly IngressRoutes[];
  /** One Ingress with use-regex or rewrite-target makes all paths of the host patterns, as in ingress-nginx. */
  readonly #patterns: boolean;
  readonly #findings = new Map<IngressRoutes, Finding[]>();

  constructor(host: string, claimants: readonly IngressRoutes[]) {
    this.#host = host;
    this.#mains = claimants.filter(({ settings }) => settings.canary === undefined);
    this.#canaries = claimants.filter(({ settings }) => settings.canary !== undefined);
    this.#owners = this.#mains.filter(main => !isForChallenges(main, host));
    this.#patterns = this.#owners.some(({ settings }) => settings.useRegex);
  }

  build(): HostResult {
    const builder = new HostRoutesBuilder(this.#host);
    const policyOf = hostPolicy(this.#host, this.#owners, this.#note);
    const canaries = alternativesOf(this.#host, this.#canaries, this.#ruleOf, this.#note);
    for (const main of this.#mains) {
      for (const claim of claimsOf(main, this.#host)) {
        const own = claim.solver ? claim.policy : policyOf(main, claim.policy);
        const read = this.#read(claim);
        const refusal = 'error' in read ? this.#noteError(main, claim, read, own) : undefined;
        const rule = 'error' in read ? read.wider : read;
        if (rule === undefined || ('error' in read && refusal === undefined)) continue;
        const policy = refusal === undefined ? own : Object.freeze({ ...own, refusal });
        const { source } = main;
        const taken = builder.taken(rule);
        if (taken !== undefined) {
          this.#note(main, findingReasons.pathConflict, pathConflict(main, this.#host, claim, rule, taken));
          continue;
        }
        const found = claim.solver
          ? noAlternatives
          : [...canaries.take(rule, main, policy), ...withoutTls(source, claim, policy)];
        const alternatives = found.length > 0 ? found : noAlternatives;
        const path = claim.path.path ?? '';
        const { backend } = claim;
        builder.add(rule, { source, host: this.#host, path, kind: rule.kind, policy, backend, alternatives });
      }
    }
    const fallbackOwner = this.#owners.find(({ fallback }) => fallback !== undefined);
    if (fallbackOwner?.fallback !== undefined) {
      const { fallback } = fallbackOwner;
      builder.setFallback(fallbackRoute(fallbackOwner, fallback, policyOf(fallbackOwner, fallback.policy)));
    }
    canaries.noteUnused();
    const built = this.#mains.length === 0 ? undefined : builder.build();
    const challenges = this.#owners.length === 0 && isName(this.#host);
    return {
      routes: challenges ? undefined : built,
      solvers: challenges ? built : undefined,
      findings: this.#findings.size > 0 ? this.#findings : noFindings,
      owner: this.#owners[0],
      fallbackOwner,
    };
  }

  readonly #note = (from: IngressRoutes, reason: FindingReason, message: string): void => {
    const finding: Finding = { object: from.ingress, reason, message };
    const known = this.#findings.get(from);
    if (known === undefined) this.#findings.set(from, [finding]);
    else known.push(finding);
  };

  #read({ path, mode }: PathClaim): PathRule | PathError {
    // What an authority asks for is answered first, whatever patterns the site has.
    const asPattern = this.#patterns && !isAcmeChallengePath(path.path ?? '');
    return asPattern ? readRegexPathRule(path) : readPathRule(path, mode);
  }

  readonly #ruleOf = (from: IngressRoutes, claim: PathClaim): PathRule | undefined => {
    const rule = this.#read(claim);
    if (!('error' in rule)) return rule;
    this.#noteError(from, claim, rule, plainPolicy);
    return undefined;
  };

  /**
   * Tells of a path that cannot be read. Where it is guarded, gives the refusal of what it may stand for: another path, with
   * no guard, could lead to the same place.
   */
  #noteError(
    from: IngressRoutes,
    { path }: PathClaim,
    { error, wider }: PathError,
    policy: RoutePolicy,
  ): string | undefined {
    const named = `the path ${quoted(path.path ?? '')} of host ${quoted(this.#host)}`;
    const closes = wider?.kind === 'Regex' && isGuarded(policy);
    const message = closes
      ? `${named} cannot be matched: ${error}. Until then all that begins as it does answers 503, as it is guarded`
      : `${named} is passed over: ${error}`;
    this.#note(from, findingReasons.pathInvalid, message);
    return closes ? message : undefined;
  }
}

/** Neither a wildcard, which no challenge by HTTP is for, nor every host: what comes after those is the default backend. */
function isName(host: string): boolean {
  return host !== '' && !host.startsWith('*');
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
