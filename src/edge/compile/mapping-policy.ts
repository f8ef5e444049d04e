import { isIP } from 'node:net';
import type { Mapping, MappingSpec } from '../../api/getambassador/mapping.ts';
import { canonicalRulePath } from '../match/canonical-path.ts';
import { parseRuleHost } from '../match/host.ts';
import { compilePattern } from '../match/path-pattern.ts';
import {
  type Affinity,
  type Cors,
  plainPolicy,
  type RedirectPolicy,
  type RetryPolicy,
  type RetryReason,
  type Rewrite,
  type RoutePolicy,
} from '../policy/route-policy.ts';
import { addedHeaders, removedHeaders } from './mapping-headers.ts';
import type { MappingService } from './mapping-service.ts';
import { quoted } from './quoted.ts';

/** What a Mapping asks for beside its match and its service. */
export interface ReadPolicy {
  readonly policy: RoutePolicy;
  /** What is not done, and left out. */
  readonly unsupported: readonly string[];
  /** What is wrong, so that nothing is forwarded. */
  readonly refusals: readonly string[];
}

/** Longer than any stream: what `0`, no limit, is written as. */
const unboundedMs = 2 ** 31 - 1;
/** Emissary's own where a Mapping is silent. */
const defaults = { timeoutMs: 3_000, connectMs: 3_000, idleMs: 300_000 };

/** Reads the rest of a Mapping. `host` and `prefix` are those of its match. */
export function readMappingPolicy(mapping: Mapping, service: MappingService): ReadPolicy {
  const { spec } = mapping;
  const unsupported: string[] = [];
  const refusals: string[] = [];
  const request = addedHeaders('add_request_headers', spec.add_request_headers);
  const response = addedHeaders('add_response_headers', spec.add_response_headers);
  unsupported.push(...request.unsupported, ...response.unsupported, ...unsupportedFields(spec));
  refusals.push(...request.refusals, ...response.refusals, ...refusedFields(spec));
  const rewrite = rewriteOf(spec);
  if (rewrite !== undefined && 'error' in rewrite) refusals.push(rewrite.error);
  const redirect = redirectOf(spec, service);
  if ('error' in redirect) refusals.push(redirect.error);
  const balance = balanceOf(spec);
  if ('error' in balance) refusals.push(balance.error);
  const upstreamHost = upstreamHostOf(spec, service);
  if (typeof upstreamHost === 'object') refusals.push(upstreamHost.error);
  const cors = corsOf(spec);
  if (cors !== undefined && 'error' in cors) refusals.push(cors.error);
  const policy: RoutePolicy = {
    ...plainPolicy,
    refusal: refusals[0],
    redirect: 'error' in redirect ? plainPolicy.redirect : redirect,
    // Emissary has no limit; the edge's own is ingress-nginx's.
    limits: { ...plainPolicy.limits, bodyBytes: 0 },
    rewrite: rewrite === undefined || 'error' in rewrite ? undefined : rewrite,
    cors: cors === undefined || 'error' in cors ? undefined : cors,
    ...('error' in balance ? {} : balance),
    requestHeaders: { ...request.edits, remove: removedHeaders(spec.remove_request_headers) },
    responseHeaders: { ...response.edits, remove: removedHeaders(spec.remove_response_headers) },
    upstreamHost: typeof upstreamHost === 'object' ? undefined : upstreamHost,
    timeouts: timeoutsOf(spec),
    retry: retryOf(spec),
    allowUpgrade: allowsUpgrade(spec),
  };
  return { policy: withoutEmptyEdits(policy), unsupported, refusals };
}

function withoutEmptyEdits(policy: RoutePolicy): RoutePolicy {
  const kept = (edits: RoutePolicy['requestHeaders']): RoutePolicy['requestHeaders'] =>
    edits !== undefined && edits.set.length + edits.add.length + edits.remove.length > 0 ? edits : undefined;
  return {
    ...policy,
    requestHeaders: kept(policy.requestHeaders),
    responseHeaders: kept(policy.responseHeaders),
  };
}

function unsupportedFields(spec: MappingSpec): string[] {
  const notes: string[] = [];
  const passedOver = (field: keyof MappingSpec, why: string): void => {
    notes.push(`spec.${field} is passed over: ${why}`);
  };
  if (Object.keys(spec.labels ?? {}).length > 0)
    passedOver('labels', 'there is no RateLimitService that would be asked');
  if ((spec.circuit_breakers ?? []).length > 0)
    passedOver('circuit_breakers', 'requests are not counted for each upstream');
  if ((spec.error_response_overrides ?? []).length > 0)
    passedOver('error_response_overrides', 'the answers of the upstream are passed on as they are');
  if ((spec.modules ?? []).length > 0) passedOver('modules', 'there is no Envoy');
  const others = (spec.allow_upgrade ?? []).filter(one => one.toLowerCase() !== 'websocket');
  if (others.length > 0)
    passedOver('allow_upgrade', `${quoted(others.join(', '))} cannot be changed to, "websocket" alone`);
  if (spec.retry_policy !== undefined && reasonsOf(spec.retry_policy.retry_on) === undefined)
    passedOver('retry_policy', `retry_on ${quoted(spec.retry_policy.retry_on ?? '')} is not known here`);
  return notes;
}

function refusedFields(spec: MappingSpec): string[] {
  const refusals: string[] = [];
  if (spec.shadow === true)
    refusals.push('spec.shadow is true, and copies of requests are not made: remove this Mapping');
  if (Object.keys(spec.envoy_override ?? {}).length > 0)
    refusals.push('spec.envoy_override is set, and there is no Envoy: remove it');
  return refusals;
}

/** `rewrite` is `/` where it is left out, and has no effect on patterns. */
function rewriteOf(spec: MappingSpec): Rewrite | undefined | { error: string } {
  const pattern = spec.regex_rewrite?.pattern;
  if (pattern !== undefined && pattern !== '') {
    const compiled = compilePattern(pattern);
    if ('error' in compiled)
      return {
        error: `spec.regex_rewrite.pattern is ${quoted(pattern)}: the regular expression is refused: ${compiled.error}`,
      };
    return { kind: 'regex', pattern, substitution: spec.regex_rewrite?.substitution ?? '' };
  }
  const replacement = spec.rewrite ?? '/';
  if (replacement === '' || spec.prefix_regex === true) return undefined;
  const canonical = canonicalRulePath(replacement);
  if (canonical === undefined)
    return {
      error: `spec.rewrite is ${quoted(replacement)}: it must be "" or begin with "/", without "..", "?" and "#"`,
    };
  const prefix = canonicalRulePath(spec.prefix) ?? spec.prefix;
  return canonical === prefix ? undefined : { kind: 'prefix', prefix, replacement: canonical };
}

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

function redirectOf(spec: MappingSpec, service: MappingService): RedirectPolicy | { error: string } {
  if (spec.host_redirect !== true) return plainPolicy.redirect;
  for (const field of ['prefix_redirect', 'regex_redirect'] as const)
    if (spec[field] !== undefined && spec.path_redirect === undefined)
      return { error: `spec.${field} is not supported: use path_redirect, or a Mapping for each path` };
  const status = spec.redirect_response_code ?? 301;
  if (!redirectStatuses.has(status))
    return { error: `spec.redirect_response_code is ${status}: use 301, 302, 303, 307 or 308` };
  const scheme = service.scheme === undefined ? '' : `${service.scheme}:`;
  const authority = `//${service.host}${service.port === undefined ? '' : `:${service.port}`}`;
  const path = spec.path_redirect;
  if (path !== undefined && !/^\/[!-~]*$/.test(path))
    return { error: `spec.path_redirect is ${quoted(path)}: it must begin with "/" and hold no blanks` };
  // A location is a template, in which a dollar sign would begin a variable.
  const location = `${scheme}${authority}${path ?? ''}`.replaceAll('$', '%24');
  return { ...plainPolicy.redirect, to: { status, location, keepPath: path === undefined } };
}

function upstreamHostOf(spec: MappingSpec, service: MappingService): string | undefined | { error: string } {
  if (spec.host_rewrite !== undefined && spec.host_rewrite !== '') {
    const [, host = '', port] = /^(.*?)(:\d{1,5})?$/.exec(spec.host_rewrite) ?? [];
    if (parseRuleHost(host) === undefined && isIP(host) === 0)
      return { error: `spec.host_rewrite is ${quoted(spec.host_rewrite)}: use a host name` };
    return `${host}${port ?? ''}`;
  }
  return spec.auto_host_rewrite === true ? service.host : undefined;
}

function timeoutsOf(spec: MappingSpec): RoutePolicy['timeouts'] {
  const wholeMs = spec.timeout_ms ?? defaults.timeoutMs;
  const idle = spec.idle_timeout_ms ?? defaults.idleMs;
  const idleMs = idle === 0 ? unboundedMs : idle;
  return {
    connectMs: spec.connect_timeout_ms || defaults.connectMs,
    readMs: perTryMs(spec) ?? idleMs,
    sendMs: idleMs,
    wholeMs: wholeMs === 0 ? undefined : wholeMs,
  };
}

/** `500ms`, `2s`, `1m`; undefined where it is left out, or in another form. */
function perTryMs(spec: MappingSpec): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(spec.retry_policy?.per_try_timeout ?? '') ?? [];
  if (amount === undefined) return undefined;
  return Math.round(Number(amount) * (unit === 'ms' ? 1 : unit === 's' ? 1_000 : 60_000));
}

function retryOf(spec: MappingSpec): RetryPolicy | undefined {
  const on = reasonsOf(spec.retry_policy?.retry_on);
  if (spec.retry_policy === undefined || on === undefined) return undefined;
  return { on, nonIdempotent: false, tries: (spec.retry_policy.num_retries ?? 1) + 1, withinMs: 0 };
}

function reasonsOf(retryOn: string | undefined): readonly RetryReason[] | undefined {
  if (retryOn === '5xx') return ['error', 'timeout', 'http_500', 'http_502', 'http_503', 'http_504'];
  if (retryOn === 'gateway-error') return ['error', 'timeout', 'http_502', 'http_503', 'http_504'];
  return retryOn === 'connect-failure' || retryOn === 'refused-stream' ? ['error'] : undefined;
}

function allowsUpgrade(spec: MappingSpec): boolean {
  return (
    spec.use_websocket === true || (spec.allow_upgrade ?? []).some(one => one.toLowerCase() === 'websocket')
  );
}

function corsOf({ cors }: MappingSpec): Cors | undefined | { error: string } {
  if (cors === undefined) return undefined;
  const origins = cors.origins ?? [];
  const wrong = origins.find(origin => origin !== '*' && !/^[A-Za-z][\w+.-]*:\/\/[\w*.:[\]-]+$/.test(origin));
  if (wrong !== undefined)
    return {
      error: `spec.cors.origins has ${quoted(wrong)}: write an origin as "https://a.example", or "*"`,
    };
  const maxAge = Number(cors.max_age ?? 0);
  if (!Number.isInteger(maxAge) || maxAge < 0)
    return { error: `spec.cors.max_age is ${quoted(cors.max_age ?? '')}: use a number of seconds` };
  return {
    origins,
    methods: (cors.methods ?? []).join(', '),
    headers: (cors.headers ?? []).join(', '),
    exposeHeaders: cors.exposed_headers?.join(', '),
    credentials: cors.credentials ?? false,
    maxAgeSeconds: maxAge,
  };
}

function balanceOf({
  load_balancer,
}: MappingSpec): Pick<RoutePolicy, 'balance' | 'affinity'> | { error: string } {
  const none = { balance: undefined, affinity: undefined };
  if (load_balancer === undefined) return none;
  const { policy, cookie, header, source_ip } = load_balancer;
  if (policy === 'round_robin') return { ...none, balance: { kind: 'round-robin' } };
  if (policy === 'least_request') return { ...none, balance: { kind: 'least-connections' } };
  if (cookie !== undefined) return { ...none, affinity: affinityOf(cookie) };
  if (header !== undefined) {
    if (!/^[A-Za-z0-9-]+$/.test(header))
      return { error: `spec.load_balancer.header is ${quoted(header)}: use letters, digits and "-"` };
    return { ...none, balance: { kind: 'hash', by: `$http_${header.toLowerCase().replaceAll('-', '_')}` } };
  }
  if (source_ip === true) return { ...none, balance: { kind: 'hash', by: '$remote_addr' } };
  return {
    error: `spec.load_balancer.policy is ${quoted(policy)}: name one of cookie, header and source_ip with it`,
  };
}

function affinityOf(cookie: { name: string; path?: string | undefined; ttl?: string | undefined }): Affinity {
  const [, amount, unit] = /^(\d+)(s|m|h)?$/.exec(cookie.ttl ?? '') ?? [];
  const seconds = amount === undefined ? 0 : Number(amount) * (unit === 'h' ? 3_600 : unit === 'm' ? 60 : 1);
  return {
    cookie: cookie.name,
    path: cookie.path ?? '/',
    domain: undefined,
    sameSite: undefined,
    conditionalSameSiteNone: false,
    secure: undefined,
    maxAgeSeconds: seconds === 0 ? undefined : seconds,
    expiresSeconds: undefined,
    partitioned: false,
    changeOnFailure: false,
    canarySticky: false,
    mode: 'balanced',
  };
}
