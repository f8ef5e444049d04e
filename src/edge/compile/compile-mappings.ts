import { type Mapping, mappingMatchSchema, mappingSpecSchema } from '../../api/getambassador/mapping.ts';
import { type KubeObject, keyOf, keyText } from '../../api/meta.ts';
import { problemsText } from '../../api/problem.ts';
import { problemsOfError } from '../../api/schema-problems.ts';
import { type Finding, type FindingReason, findingReasons } from '../finding.ts';
import type { MappingHost } from '../match/mapping-table.ts';
import { plainPolicy, type RoutePolicy } from '../policy/route-policy.ts';
import { isForbiddenHost } from '../upstream/forbidden-address.ts';
import { backendKey } from './backend-key.ts';
import {
  type BackendResult,
  type BackendSpec,
  keyOfSpec,
  serviceBackend,
  type UpstreamAccess,
} from './backends.ts';
import { type ContextsResult, compileContexts, originationNamed } from './compile-contexts.ts';
import type { Lookups } from './dependencies.ts';
import { groupRoute, type ReadMapping } from './mapping-group.ts';
import { guardsFor } from './mapping-guards.ts';
import { type HostedRoute, mappingHosts } from './mapping-hosts.ts';
import { readMappingMatch } from './mapping-match.ts';
import { mappingGroupKey, mappingOrder } from './mapping-order.ts';
import { readMappingPolicy } from './mapping-policy.ts';
import { type MappingService, readMappingService } from './mapping-service.ts';
import { sharesOf } from './mapping-weights.ts';
import { quoted } from './quoted.ts';
import type { CompileSettings } from './settings.ts';
import type { EmissaryObjects } from './snapshot.ts';
import { plainUpstreamTls, type UpstreamTlsPolicy, upstreamTlsFor } from './upstream-tls.ts';

/** What Mappings and TLSContexts come to. */
export interface MappingsResult {
  readonly mappings: ReadonlyMap<string, MappingHost>;
  /** By key. */
  readonly backends: ReadonlyMap<string, BackendSpec>;
  /** The Mappings that lead to a backend, by its key. */
  readonly users: ReadonlyMap<string, readonly Mapping[]>;
  readonly contexts: ContextsResult;
  readonly findings: readonly Finding[];
}

/**
 * Compiles Emissary's objects (edge.md, section 3). A Mapping that is not understood, or that cannot be served as it asks to
 * be, answers 503 where its prefix is: its requests go to no other Mapping instead.
 */
export function compileMappings(
  objects: EmissaryObjects,
  lookups: Lookups,
  settings: CompileSettings,
  nowMs: number,
): MappingsResult {
  const { forceSecretValidation, ambassadorId } = settings;
  const ours = <T extends KubeObject & { spec?: unknown }>(all: readonly T[]): T[] =>
    sortedByAge(all.filter(one => isFor(one, ambassadorId)));
  const contexts = compileContexts(ours(objects.tlsContexts), lookups, { forceSecretValidation, nowMs });
  const guard = ours(objects.guards)[0];
  const compiler = new MappingCompiler(
    lookups,
    settings,
    contexts,
    guard && `${guard.kind ?? 'AuthService'} ${quoted(keyText(keyOf(guard)))}`,
  );
  for (const mapping of ours(objects.mappings)) compiler.add(mapping);
  const { mappings, backends, users, findings } = compiler.build();
  return { mappings, backends, users, contexts, findings: [...contexts.findings, ...findings] };
}

class MappingCompiler {
  readonly #lookups: Lookups;
  readonly #settings: CompileSettings;
  readonly #contexts: ContextsResult;
  readonly #guard: string | undefined;
  readonly #findings: Finding[] = [];
  readonly #backends = new Map<string, BackendSpec>();
  readonly #groups = new Map<string, ReadMapping[]>();
  /** As they are stored, by what was read of them: findings are about those. */
  readonly #stored = new Map<KubeObject, Mapping>();

  constructor(
    lookups: Lookups,
    settings: CompileSettings,
    contexts: ContextsResult,
    guard: string | undefined,
  ) {
    this.#lookups = lookups;
    this.#settings = settings;
    this.#contexts = contexts;
    this.#guard = guard;
  }

  add(mapping: Mapping): void {
    const parsed = mappingSpecSchema.safeParse(mapping.spec);
    if (parsed.success) {
      const read = { ...mapping, spec: parsed.data };
      this.#stored.set(read, mapping);
      return this.#addParsed(read);
    }
    const message = problemsText(problemsOfError(parsed.error, mapping.spec, ['spec']));
    this.#refuseUnread(mapping, message);
  }

  build(): Pick<MappingsResult, 'mappings' | 'backends' | 'users' | 'findings'> {
    const routes = [...this.#groups.values()].flatMap(group => this.#routesOf(group));
    const members = [...this.#groups.values()].flat();
    const byBackend = Map.groupBy(members, ({ backend }) => backend);
    const users = new Map(
      [...byBackend].map(([key, own]) => [key, own.map(({ object }) => this.#stored.get(object) ?? object)]),
    );
    return { mappings: mappingHosts(routes), backends: this.#backends, users, findings: this.#findings };
  }

  /** Of what the schema refuses, the match may be understood all the same. */
  #refuseUnread(mapping: Mapping, message: string): void {
    const match = mappingMatchSchema.safeParse(mapping.spec);
    const read = match.success ? readMappingMatch(match.data) : undefined;
    if (!match.success || read === undefined || 'error' in read) {
      this.#note(mapping, findingReasons.mappingInvalid, `${message}. It is not served`);
      return;
    }
    this.#note(mapping, findingReasons.mappingInvalid, `${message}. Until then it answers 503`);
    this.#place(
      mapping,
      match.data,
      read,
      { ...plainPolicy, refusal: message },
      this.#refused(mapping, message),
    );
  }

  #addParsed(mapping: Mapping): void {
    const { spec } = mapping;
    const { namespace = '' } = mapping.metadata;
    const read = readMappingMatch(spec);
    if ('error' in read) {
      const reason =
        read.field === 'host'
          ? findingReasons.hostInvalid
          : read.field === 'path'
            ? findingReasons.pathInvalid
            : findingReasons.mappingInvalid;
      this.#note(mapping, reason, `${read.error}. It is not served`);
      return;
    }
    const service = readMappingService(spec.service, namespace);
    if ('error' in service) return this.#refuseUnread(mapping, service.error);
    const { policy, unsupported, refusals } = readMappingPolicy(mapping, service);
    for (const message of unsupported) this.#note(mapping, findingReasons.mappingUnsupported, message);
    for (const message of refusals)
      this.#note(mapping, findingReasons.mappingUnsupported, `${message}. Until then it answers 503`);
    const unasked = this.#unaskedAuth(mapping);
    const refusal = policy.refusal ?? unasked;
    const backend =
      refusal === undefined && policy.redirect.to === undefined
        ? this.#backendOf(mapping, service)
        : this.#refused(mapping, refusal ?? 'it redirects');
    this.#place(mapping, spec, read, { ...policy, refusal }, backend);
  }

  /** In Emissary an AuthService is asked before anything is forwarded, in Edge Stack what a FilterPolicy names. */
  #unaskedAuth(mapping: Mapping): string | undefined {
    if (this.#guard === undefined || mapping.spec.bypass_auth === true) return undefined;
    const message = `the ${this.#guard} guards this Mapping, and nobody asks it here: set spec.bypass_auth to true on what may be served without, or remove the guard`;
    this.#note(mapping, findingReasons.mappingUnsupported, `${message}. Until then it answers 503`);
    return message;
  }

  #place(
    object: Mapping,
    spec: Parameters<typeof mappingOrder>[0] & Pick<Mapping['spec'], 'weight'>,
    read: Exclude<ReturnType<typeof readMappingMatch>, { error: string }>,
    policy: RoutePolicy,
    backend: BackendSpec,
  ): void {
    const order = mappingOrder(spec, read, keyText(keyOf(object)));
    const key = keyOfSpec(backend);
    this.#backends.set(key, backend);
    const member: ReadMapping = { object, spec, read, order, policy, backend: key };
    const groupKey = mappingGroupKey(spec, read);
    const group = this.#groups.get(groupKey);
    if (group === undefined) this.#groups.set(groupKey, [member]);
    else group.push(member);
  }

  #routesOf(members: readonly ReadMapping[]): HostedRoute[] {
    const [first, ...others] = members;
    if (first === undefined) return [];
    const shares = sharesOf(members.map(({ spec }) => spec.weight));
    if (shares === undefined) return this.#overweight(first, members);
    return guardsFor(first, this.#contexts).map(({ host, within, order, change }) => ({
      host,
      entry: { within, match: first.read.match, order, route: groupRoute(first, others, shares, change) },
    }));
  }

  #overweight(first: ReadMapping, members: readonly ReadMapping[]): HostedRoute[] {
    const sum = members.reduce((total, { spec }) => total + (spec.weight ?? 0), 0);
    const names = members.map(({ object }) => quoted(keyText(keyOf(object)))).join(', ');
    const message = `the weights of ${names}, which want the same requests, are ${sum} together: make them 100 or less`;
    for (const { object } of members)
      this.#note(object, findingReasons.mappingConflict, `${message}. Until then they answer 503`);
    const backend = this.#refused(first.object, message);
    const key = keyOfSpec(backend);
    this.#backends.set(key, backend);
    const refused: ReadMapping = { ...first, policy: { ...plainPolicy, refusal: message }, backend: key };
    return guardsFor(refused, this.#contexts).map(({ host, within, order, change }) => ({
      host,
      entry: {
        within,
        match: first.read.match,
        order,
        route: groupRoute(refused, [], { shares: [1], total: 1 }, change),
      },
    }));
  }

  #backendOf(mapping: Mapping, service: MappingService): BackendSpec {
    const access = this.#access(mapping, service);
    if (access.kind === 'refused') return this.#refused(mapping, access.reason);
    const port = service.port ?? (access.tls === undefined ? 80 : 443);
    if (service.to.kind === 'host') return this.#external(mapping, service.to.host, port, access);
    const { namespace, name } = service.to;
    const found = this.#lookups.service({ namespace, name });
    const { spec, finding } =
      found === undefined
        ? missingService(`${namespace}/${name}`, port)
        : serviceBackend(`${namespace}/${name}:${port}`, found, port, access, this.#settings);
    if (finding !== undefined) this.#note(mapping, finding.reason, finding.message);
    return spec;
  }

  #external(mapping: Mapping, host: string, port: number, access: OpenAccess): BackendSpec {
    const { externalNames, standalone } = this.#settings;
    if (!externalNames || isForbiddenHost(host, standalone)) {
      const why = externalNames
        ? 'loopback and link-local upstreams are refused'
        : 'upstreams that are no Services are switched off';
      const message = `spec.service names the host ${quoted(host)}, which is not served: ${why}`;
      this.#note(mapping, findingReasons.endpointRefused, message);
      return this.#refused(mapping, message);
    }
    const { protocol } = access;
    const tls = access.tls && upstreamTlsFor(access.tls, host);
    const key = backendKey(`host/${host}:${port}`, protocol, tls);
    return { kind: 'fixed', backend: { kind: 'external', key, host, port, protocol, tls } };
  }

  #access(mapping: Mapping, { scheme }: MappingService): UpstreamAccess {
    const protocol = mapping.spec.grpc === true ? 'http2' : 'http1';
    const open = (tls: UpstreamTlsPolicy | undefined): OpenAccess => ({
      kind: 'open',
      protocol,
      tls,
      viaService: false,
    });
    const named = mapping.spec.tls?.trim() ?? '';
    if (named === '' || named === 'false') return open(scheme === 'https' ? plainUpstreamTls : undefined);
    if (scheme === 'http') {
      const message = `spec.service begins with "http://" and spec.tls is ${quoted(named)}: TLS is spoken; remove one of the two`;
      this.#note(mapping, findingReasons.mappingUnsupported, message);
    }
    if (named === 'true') return open(plainUpstreamTls);
    const found = originationNamed(this.#contexts, named, mapping.metadata.namespace ?? '');
    if (!('error' in found)) return open(found.policy);
    const reason = found.missing === true ? findingReasons.secretNotFound : findingReasons.upstreamTlsInvalid;
    this.#note(mapping, reason, `${found.error}. Until then it answers 503`);
    return { kind: 'refused', reason: found.error };
  }

  #refused({ metadata }: Mapping, reason: string): BackendSpec {
    const key = `mapping/${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
    return { kind: 'fixed', backend: { kind: 'unavailable', key, reason } };
  }

  #note(object: KubeObject, reason: FindingReason, message: string): void {
    this.#findings.push({ object: this.#stored.get(object) ?? object, reason, message });
  }
}

type OpenAccess = UpstreamAccess & { kind: 'open' };

function missingService(service: string, port: number): BackendResult {
  const message = `Service ${quoted(service)} of spec.service does not exist: create it; for a host outside the cluster write its name with a dot at the end`;
  return {
    spec: { kind: 'fixed', backend: { kind: 'unavailable', key: `${service}:${port}`, reason: message } },
    finding: { reason: findingReasons.serviceNotFound, message },
  };
}

function isFor({ spec }: { spec?: unknown }, ambassadorId: string): boolean {
  const ids =
    typeof spec === 'object' && spec !== null && 'ambassador_id' in spec ? spec.ambassador_id : undefined;
  if (ids === undefined || ids === null) return ambassadorId === 'default';
  return Array.isArray(ids) ? ids.length === 0 || ids.includes(ambassadorId) : ids === ambassadorId;
}

function sortedByAge<T extends KubeObject>(objects: readonly T[]): T[] {
  const rank = (one: T): string => `${one.metadata.creationTimestamp ?? '9999'} ${keyText(keyOf(one))}`;
  return objects.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
}
