import { bareHostsOf } from '../../api/acme/bare-rules.ts';
import type { HttpIngressPath, Ingress, IngressBackend } from '../../api/kubernetes/ingress.ts';
import { type Finding, type FindingReason, findingReasons } from '../finding.ts';
import { parseRuleHost } from '../match/host.ts';
import { plainPolicy, type RoutePolicy } from '../policy/route-policy.ts';
import { type IngressSettings, quoted, readAnnotations } from './annotations.ts';
import {
  type BackendResult,
  type BackendSpec,
  keyOfSpec,
  resolveBackend,
  type UpstreamAccess,
} from './backends.ts';
import { readMatchModes } from './cce-match-modes.ts';
import type { Lookups } from './dependencies.ts';
import { errorPagesFor } from './error-pages.ts';
import { exactList } from './exact-list.ts';
import { kept } from './reuse.ts';
import type { CompileSettings } from './settings.ts';
import type { SourceRef } from './table.ts';
import { upstreamTlsPolicy } from './upstream-tls.ts';

/** A path that an Ingress wants of a host. */
export interface PathClaim {
  readonly path: HttpIngressPath;
  /** CCE's match mode for it, from the annotation. */
  readonly mode: string | undefined;
  /** Answers an ACME authority: no setting of the host is laid upon it. */
  readonly solver: boolean;
  readonly policy: RoutePolicy;
  /** A key of the table's backends. */
  readonly backend: string;
  /** Another one, without TLS, for requests that came without it (AUTO_HTTP). */
  readonly plainBackend?: string | undefined;
}

/** The paths that an Ingress wants of one host, in the order of its rules. */
export interface HostClaims {
  /** In lower case; `''` for rules without a host. */
  readonly host: string;
  readonly paths: readonly PathClaim[];
}

/** What an Ingress wants routed, read by itself: not yet held against the other Ingresses of its hosts. */
export interface IngressRoutes {
  readonly ingress: Ingress;
  readonly source: SourceRef;
  readonly settings: IngressSettings;
  readonly policy: RoutePolicy;
  /** One for each host. */
  readonly hosts: readonly HostClaims[];
  readonly fallback: PathClaim | undefined;
  /** All that it leads to, each key once. */
  readonly backends: readonly BackendSpec[];
  readonly findings: readonly Finding[];
}

/** The paths that an Ingress wants of a host. */
export function claimsOf({ hosts }: IngressRoutes, host: string): readonly PathClaim[] {
  return hosts.find(one => one.host === host)?.paths ?? [];
}

/**
 * Whether an Ingress has the host for challenges alone: they were put there, and the host is not its own. A rule that stood
 * there before, without paths, is.
 */
export function isForChallenges(routes: IngressRoutes, host: string): boolean {
  const claims = claimsOf(routes, host);
  const challenges = claims.length > 0 && claims.every(({ solver }) => solver);
  return challenges && !bareHostsOf(routes.ingress).includes(host);
}

/** The hosts of an Ingress's own rules, `''` for rules without a host. */
export function hostsOfRules(routes: IngressRoutes): string[] {
  return routes.hosts.map(({ host }) => host).filter(host => !isForChallenges(routes, host));
}

/** Reads what an Ingress wants. `earlier` is what it wanted before, whose policy is kept where it says the same. */
export function readIngressRoutes(
  ingress: Ingress,
  lookups: Lookups,
  compileSettings: CompileSettings,
  earlier: IngressRoutes | undefined,
): IngressRoutes {
  return new Reader(ingress, lookups, compileSettings).read(earlier);
}

class Reader {
  readonly #ingress: Ingress;
  readonly #lookups: Lookups;
  readonly #compileSettings: CompileSettings;
  readonly #findings = new Map<string, Finding>();
  readonly #backends = new Map<string, BackendSpec>();
  #asClient = false;

  constructor(ingress: Ingress, lookups: Lookups, compileSettings: CompileSettings) {
    this.#ingress = ingress;
    this.#lookups = lookups;
    this.#compileSettings = compileSettings;
  }

  read(earlier: IngressRoutes | undefined): IngressRoutes {
    const ingress = this.#ingress;
    const { namespace = '', name = '' } = ingress.metadata;
    const { settings, findings } = readAnnotations(ingress, key => this.#lookups.secret(key));
    for (const finding of findings) this.#note(finding.reason, finding.message);
    const access = this.#access(settings);
    this.#asClient = settings.upstream.asClient;
    const policy = kept(earlier?.policy, this.#policy(settings, access));
    const hosts = this.#rules(policy, access);
    const to = ingress.spec?.defaultBackend;
    const fallback =
      to === undefined
        ? undefined
        : this.#claim({ pathType: 'Prefix', backend: to }, undefined, policy, access);
    return {
      ingress,
      source: kept(earlier?.source, { kind: 'Ingress', namespace, name }),
      settings,
      policy,
      hosts,
      fallback,
      backends: [...this.#backends.values()],
      findings: exactList([...this.#findings.values()]),
    };
  }

  /** The same sentence is said once, however many paths it is about. */
  #note(reason: FindingReason, message: string): void {
    const key = `${reason} ${message}`;
    if (!this.#findings.has(key)) this.#findings.set(key, { object: this.#ingress, reason, message });
  }

  #access({ policy, upstream, serviceUpstream }: IngressSettings): UpstreamAccess {
    if (policy.refusal !== undefined) return { kind: 'refused', reason: policy.refusal };
    const open = { kind: 'open', protocol: upstream.protocol, viaService: serviceUpstream } as const;
    if (upstream.tls === undefined) return { ...open, tls: undefined };
    const result = upstreamTlsPolicy(this.#ingress, upstream.tls, key => this.#lookups.secret(key));
    if ('error' in result) {
      const reason =
        result.missing === true ? findingReasons.secretNotFound : findingReasons.upstreamTlsInvalid;
      this.#note(reason, `${result.error}. Until then its paths answer 503`);
      return { kind: 'refused', reason: result.error };
    }
    if (!result.policy.verify) {
      this.#note(
        findingReasons.upstreamTlsUnverified,
        'proxy-ssl-verify is "off": the upstream is not verified, and whoever stands between can read and change everything',
      );
    }
    return { ...open, tls: result.policy };
  }

  #policy(settings: IngressSettings, access: UpstreamAccess): RoutePolicy {
    const { policy } = settings;
    const tls = this.#ingress.spec?.tls ?? [];
    const tlsForEveryHost = tls.some(entry => !entry.hosts?.some(host => host !== ''));
    const errorPages = errorPagesFor(this.#ingress, settings, access, this.#lookups, this.#compileSettings);
    if (errorPages?.finding !== undefined) this.#note(errorPages.finding.reason, errorPages.finding.message);
    const pages = errorPages?.pages;
    if (pages !== undefined) this.#backends.set(pages.backend, pages.spec);
    if (!tlsForEveryHost && pages === undefined) return policy;
    return Object.freeze({
      ...policy,
      redirect: { ...policy.redirect, tlsForEveryHost },
      errorPages: pages && { statuses: pages.statuses, backend: pages.backend },
      // Only the annotation's Service takes whole requests; spec.defaultBackend is for those that no rule matches. What could
      // not be sent over TLS as it is to be is not sent there in the clear.
      fallbackBackend:
        settings.defaultBackend === undefined || access.kind === 'refused' ? undefined : pages?.backend,
    });
  }

  #rules(policy: RoutePolicy, access: UpstreamAccess): HostClaims[] {
    const ingress = this.#ingress;
    const { modes, findings } = readMatchModes(ingress);
    for (const finding of findings) this.#note(finding.reason, finding.message);
    const hosts = new Map<string, PathClaim[]>();
    for (const rule of ingress.spec?.rules ?? []) {
      const host = rule.host ? parseRuleHost(rule.host) : '';
      if (host === undefined) {
        this.#note(
          findingReasons.hostInvalid,
          `a rule has the host ${quoted(rule.host ?? '')} and is passed over: use a name, or "*." and a name`,
        );
        continue;
      }
      const claims = hosts.get(host) ?? [];
      hosts.set(host, claims);
      for (const path of rule.http?.paths ?? [])
        claims.push(this.#claim(path, modes(host, path.path ?? ''), policy, access));
    }
    return Array.from(hosts, ([host, paths]) => ({ host, paths: exactList(paths) }));
  }

  #claim(
    path: HttpIngressPath,
    mode: string | undefined,
    policy: RoutePolicy,
    access: UpstreamAccess,
  ): PathClaim {
    // What follows of it is read with the host's other Ingresses, which it must not stop.
    if (typeof (path.path ?? '') !== 'string') throw new TypeError('a path of spec.rules is no text');
    const { spec, finding, solver = false } = this.#backend(path.path ?? '', path.backend, access);
    if (finding !== undefined) this.#note(finding.reason, finding.message);
    const key = keyOfSpec(spec);
    this.#backends.set(key, spec);
    const claim = { path, mode, solver, policy: solver ? plainPolicy : policy, backend: key };
    if (!this.#asClient || solver || access.kind === 'refused') return claim;
    const plain = this.#backend(path.path ?? '', path.backend, { ...access, tls: undefined }).spec;
    const plainBackend = keyOfSpec(plain);
    this.#backends.set(plainBackend, plain);
    return { ...claim, plainBackend };
  }

  #backend(path: string, to: IngressBackend, access: UpstreamAccess): BackendResult {
    return resolveBackend(this.#ingress, path, to, access, this.#lookups, this.#compileSettings);
  }
}
