import type { Ingress, IngressBackend } from '../../api/kubernetes/ingress.ts';
import { messageOf } from '../../core/errors.ts';
import { type Finding, type FindingReason, findingReasons } from '../finding.ts';
import { parseRuleHost } from '../match/host.ts';
import type { RoutePolicy } from '../policy/route-policy.ts';
import { type IngressSettings, quoted, readAnnotations } from './annotations.ts';
import { type BackendResult, resolveBackend, type UpstreamAccess } from './backends.ts';
import { readMatchModes } from './cce-match-modes.ts';
import { TlsCompiler } from './compile-tls.ts';
import { HostRoutesBuilder } from './host-routes-builder.ts';
import { readPathRule } from './path-rule.ts';
import { selectIngresses } from './select-ingresses.ts';
import type { CompileSettings } from './settings.ts';
import { type References, type Snapshot, trackedSnapshot } from './snapshot.ts';
import type { Backend, Route, RoutingTable } from './table.ts';
import { upstreamTlsPolicy } from './upstream-tls.ts';

export interface Compilation {
  readonly table: RoutingTable;
  readonly findings: readonly Finding[];
  readonly references: References;
  /** When the result changes although no object does: a certificate expires. Milliseconds since the epoch. */
  readonly nextExpiryMs: number | undefined;
}

/** Objects in, an immutable routing table and what their owners should know out. Pure: nothing is read but the arguments. */
export function compileTable(objects: Snapshot, settings: CompileSettings, nowMs: number): Compilation {
  const { snapshot, references } = trackedSnapshot(objects);
  const { selected, findings } = selectIngresses(objects.ingresses, objects.ingressClasses, settings);
  const compiler = new Compiler(snapshot, settings, findings);
  const tlsCompiler = new TlsCompiler(snapshot, nowMs);
  for (const ingress of selected) {
    // Manifests that no API server has checked can have any shape; one of them must not stop the others.
    try {
      if (compiler.add(ingress)) tlsCompiler.add(ingress);
    } catch (error) {
      const message = `the Ingress is not served, or only in part: it is not of the form of networking.k8s.io/v1 (${messageOf(error)})`;
      findings.push({ object: ingress, reason: findingReasons.ingressInvalid, message });
    }
  }
  const { findings: tlsFindings, nextExpiryMs, ...tls } = tlsCompiler.build();
  const table: RoutingTable = Object.freeze({ ...compiler.build(), ...tls });
  return { table, findings: [...findings, ...tlsFindings], references, nextExpiryMs };
}

/** One compilation under way. Ingresses are added oldest first. */
class Compiler {
  readonly #snapshot: Snapshot;
  readonly #settings: CompileSettings;
  readonly #findings: Finding[];
  readonly #hosts = new Map<string, HostRoutesBuilder>();
  readonly #backends = new Map<string, Backend>();
  readonly #plainBackends = new Map<string, BackendResult>();
  #fallback: Route | undefined;

  constructor(snapshot: Snapshot, settings: CompileSettings, findings: Finding[]) {
    this.#snapshot = snapshot;
    this.#settings = settings;
    this.#findings = findings;
  }

  build(): Pick<RoutingTable, 'hosts' | 'fallback' | 'backends'> {
    const hosts = new Map([...this.#hosts].map(([host, builder]) => [host, builder.build()]));
    return { hosts, fallback: this.#fallback, backends: this.#backends };
  }

  /** Adds the routes of an Ingress; false where it is not served at all. */
  add(ingress: Ingress): boolean {
    const { settings, findings } = readAnnotations(ingress, key => this.#snapshot.secret(key));
    this.#findings.push(...findings);
    if (settings.canary !== undefined) return false;
    const access = this.#access(ingress, settings);
    const tlsForEveryHost = (ingress.spec?.tls ?? []).some(entry => !entry.hosts?.some(host => host !== ''));
    const context: RouteContext = { ingress, access, policy: policyFor(settings, tlsForEveryHost) };
    const hosts = this.#addRules(context);
    if (ingress.spec?.defaultBackend !== undefined)
      this.#addFallback(context, ingress.spec.defaultBackend, hosts);
    return true;
  }

  #note(object: Ingress, reason: FindingReason, message: string): void {
    this.#findings.push({ object, reason, message });
  }

  #access(ingress: Ingress, settings: IngressSettings): UpstreamAccess {
    if (settings.policy.refusal !== undefined) return { kind: 'refused', reason: settings.policy.refusal };
    if (settings.upstream.tls === undefined) return { kind: 'http' };
    const result = upstreamTlsPolicy(ingress, settings.upstream.tls, key => this.#snapshot.secret(key));
    if ('error' in result) {
      const reason =
        result.missing === true ? findingReasons.secretNotFound : findingReasons.upstreamTlsInvalid;
      this.#note(ingress, reason, `${result.error}. Until then its paths answer 503`);
      return { kind: 'refused', reason: result.error };
    }
    if (!result.policy.verify) {
      const message =
        'proxy-ssl-verify is "off": the upstream is not verified, and whoever stands between can read and change everything';
      this.#note(ingress, findingReasons.upstreamTlsUnverified, message);
    }
    return { kind: 'https', policy: result.policy };
  }

  #addRules(context: RouteContext): Set<string> {
    const { ingress } = context;
    const hosts = new Set<string>();
    const { modes, findings } = readMatchModes(ingress);
    this.#findings.push(...findings);
    for (const rule of ingress.spec?.rules ?? []) {
      const host = rule.host ? parseRuleHost(rule.host) : '';
      if (host === undefined) {
        this.#note(
          ingress,
          findingReasons.hostInvalid,
          `a rule has the host ${quoted(rule.host ?? '')} and is passed over: use a name, or "*." and a name`,
        );
        continue;
      }
      hosts.add(host);
      const builder = this.#hostRoutes(host);
      for (const path of rule.http?.paths ?? []) {
        const pathRule = readPathRule(path, modes(host, path.path ?? ''));
        if ('error' in pathRule) {
          const message = `the path ${quoted(path.path ?? '')} of host ${quoted(host)} is passed over: ${pathRule.error}`;
          this.#note(ingress, findingReasons.pathInvalid, message);
          continue;
        }
        const kind = pathRule.kind;
        const route = this.#route(context, host, path.path ?? '', kind, path.backend);
        const taken = builder.add(pathRule, route);
        if (taken !== undefined)
          this.#note(ingress, findingReasons.pathConflict, pathConflict(ingress, route, taken));
      }
    }
    return hosts;
  }

  #addFallback(context: RouteContext, backend: IngressBackend, hosts: ReadonlySet<string>): void {
    const route = this.#route(context, '', '', 'Default', backend);
    const accepted = [...hosts].filter(host => this.#hostRoutes(host).addFallback(route));
    if (this.#fallback === undefined) {
      this.#fallback = route;
    } else if (accepted.length === 0) {
      const { namespace, name } = this.#fallback.source;
      const message = `spec.defaultBackend is not used: the older Ingress "${namespace}/${name}" has one`;
      this.#note(context.ingress, findingReasons.defaultBackendConflict, message);
    }
  }

  #hostRoutes(host: string): HostRoutesBuilder {
    const known = this.#hosts.get(host);
    if (known !== undefined) return known;
    const builder = new HostRoutesBuilder(host);
    this.#hosts.set(host, builder);
    return builder;
  }

  /** Ingresses of plain HTTP share their Services' backends. */
  #backend(ingress: Ingress, path: string, to: IngressBackend, access: UpstreamAccess): BackendResult {
    const resolve = (): BackendResult =>
      resolveBackend(ingress, path, to, access, this.#snapshot, this.#settings);
    if (access.kind !== 'http' || to.service === undefined) return resolve();
    const { name, port } = to.service;
    const key = `${ingress.metadata.namespace ?? ''}/${name}:${port?.name ?? ''}:${port?.number ?? ''}`;
    const known = this.#plainBackends.get(key);
    if (known !== undefined) return known;
    const made = resolve();
    this.#plainBackends.set(key, made);
    return made;
  }

  #route(context: RouteContext, host: string, path: string, kind: Route['kind'], to: IngressBackend): Route {
    const { ingress, policy, access } = context;
    const { backend, finding } = this.#backend(ingress, path, to, access);
    if (finding !== undefined) this.#note(ingress, finding.reason, finding.message);
    const { namespace = '', name = '' } = ingress.metadata;
    this.#backends.set(backend.key, backend);
    const route: Route = {
      source: { kind: 'Ingress', namespace, name },
      host,
      path,
      kind,
      policy,
      backend: backend.key,
      alternatives: [],
    };
    return Object.freeze(route);
  }
}

interface RouteContext {
  readonly ingress: Ingress;
  readonly access: UpstreamAccess;
  readonly policy: RoutePolicy;
}

function policyFor({ policy }: IngressSettings, tlsForEveryHost: boolean): RoutePolicy {
  if (!tlsForEveryHost) return policy;
  return Object.freeze({ ...policy, redirect: { ...policy.redirect, tlsForEveryHost } });
}

function pathConflict(ingress: Ingress, route: Route, taken: Route): string {
  const { namespace = '', name = '' } = ingress.metadata;
  const { source: owner } = taken;
  const what = `the path ${quoted(route.path)} (${route.kind}) of host ${quoted(route.host)}`;
  const same = owner.namespace === namespace && owner.name === name;
  return same
    ? `${what} is there twice: the first one counts`
    : `${what} is not used: the older Ingress "${owner.namespace}/${owner.name}" has it`;
}
