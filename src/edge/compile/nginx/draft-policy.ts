import { LruMap } from '../../../core/lru.ts';
import {
  type Affinity,
  type Balance,
  type Cors,
  type ExternalAuth,
  plainPolicy,
  type RedirectPolicy,
  type RequestLimits,
  type RetryPolicy,
  type RoutePolicy,
  type UpstreamTimeouts,
} from '../../policy/route-policy.ts';
import type { Draft } from './annotation-row.ts';

/** What a policy has from Secrets. */
export type SecretParts = Pick<RoutePolicy, 'basicAuth' | 'clientCertificate'>;

/** What the annotations ask for, as a policy. Equal ones are the same object. */
export function policyOf(draft: Draft, refusal: string | undefined, parts: SecretParts): RoutePolicy {
  const policy: RoutePolicy = {
    ...plainPolicy,
    ...parts,
    refusal,
    redirect: redirectOf(draft),
    sourceRanges:
      draft.allow === undefined && draft.deny === undefined
        ? undefined
        : { allow: draft.allow ?? [], deny: draft.deny ?? [] },
    satisfy: draft.satisfyAny === true ? 'any' : 'all',
    externalAuth: externalAuthOf(draft),
    limits: limitsOf(draft),
    rewrite: draft.rewriteTarget === undefined ? undefined : { kind: 'pattern', target: draft.rewriteTarget },
    cors: corsOf(draft),
    affinity: affinityOf(draft),
    requestHeaders:
      draft.forwardedPrefix === undefined
        ? undefined
        : { set: [['X-Forwarded-Prefix', draft.forwardedPrefix]], add: [], remove: [] },
    upstreamHost: draft.upstreamVhost,
    timeouts: timeoutsOf(draft),
    retry: retryOf(draft),
    balance: balanceOf(draft),
    accessLog: draft.accessLog ?? true,
  };
  return interned(policy);
}

const plainText = JSON.stringify(plainPolicy);
const policies = new LruMap<string, RoutePolicy>(5_000);

/** What comes from Secrets has no text of its own, and is kept apart. */
function interned(policy: RoutePolicy): RoutePolicy {
  if (policy.basicAuth !== undefined) return Object.freeze(policy);
  const text = JSON.stringify(policy);
  if (text === plainText) return plainPolicy;
  const known = policies.get(text);
  if (known !== undefined) return known;
  policies.set(text, Object.freeze(policy));
  return policy;
}

function redirectOf(draft: Draft): RedirectPolicy {
  const { temporalRedirect, permanentRedirect } = draft;
  const location = temporalRedirect ?? permanentRedirect;
  const status =
    temporalRedirect === undefined
      ? (draft.permanentRedirectCode ?? 301)
      : (draft.temporalRedirectCode ?? 302);
  return {
    ssl: draft.sslRedirect,
    forceSsl: draft.forceSslRedirect ?? false,
    tlsForEveryHost: false,
    to: location === undefined ? undefined : { status, location, keepPath: false },
    appRoot: draft.appRoot,
  };
}

function externalAuthOf(draft: Draft): ExternalAuth | undefined {
  if (draft.authUrl === undefined) return undefined;
  const parameter = draft.authSignInParameter ?? 'rd';
  return {
    url: draft.authUrl,
    method: draft.authMethod,
    signIn: draft.authSignIn === undefined ? undefined : signInFor(draft.authSignIn, parameter),
    signInRedirectParameter: parameter,
    responseHeaders: draft.authResponseHeaders ?? [],
    alwaysSetCookie: draft.authAlwaysSetCookie ?? false,
    requestRedirect: draft.authRequestRedirect,
    timeoutMs: 60_000,
  };
}

/** The sign-in with the address that was asked for as a parameter, unless it has that already (ingress-nginx, auth-signin). */
function signInFor(url: string, parameter: string): string {
  const mark = url.indexOf('?');
  const query = mark < 0 ? '' : url.slice(mark + 1);
  const has = query
    .split('&')
    .some(pair => pair.startsWith(`${parameter}=`) && pair.length > parameter.length + 1);
  if (has) return url;
  const asked = '$pass_access_scheme://$http_host$escaped_request_uri';
  return `${url}${query !== '' ? '&' : mark < 0 ? '?' : ''}${parameter}=${asked}`;
}

function limitsOf(draft: Draft): RequestLimits {
  return {
    bodyBytes: draft.bodyBytes,
    requestsPerSecond: draft.perSecond,
    requestsPerMinute: draft.perMinute,
    burstFactor: draft.burstFactor ?? 5,
    connections: draft.connections,
    exempt: draft.limitExempt ?? [],
  };
}

const corsHeaders =
  'DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization';

function corsOf(draft: Draft): Cors | undefined {
  if (draft.cors !== true) return undefined;
  return {
    origins: draft.corsOrigins ?? ['*'],
    methods: draft.corsMethods ?? 'GET, PUT, POST, DELETE, PATCH, OPTIONS',
    headers: draft.corsHeaders ?? corsHeaders,
    exposeHeaders: draft.corsExpose,
    credentials: draft.corsCredentials ?? true,
    maxAgeSeconds: draft.corsMaxAge ?? 1_728_000,
  };
}

function affinityOf(draft: Draft): Affinity | undefined {
  if (draft.affinity !== true) return undefined;
  // A rule's path that is a regular expression is no path of a cookie.
  const patterns = draft.useRegex === true || draft.rewriteTarget !== undefined;
  return {
    cookie: draft.cookieName ?? 'INGRESSCOOKIE',
    path: draft.cookiePath ?? (patterns ? '/' : ''),
    domain: draft.cookieDomain,
    sameSite: draft.cookieSameSite,
    conditionalSameSiteNone: draft.cookieConditionalNone ?? false,
    secure: draft.cookieSecure,
    maxAgeSeconds: draft.cookieMaxAge,
    expiresSeconds: draft.cookieExpires,
    partitioned: draft.cookiePartitioned ?? false,
    changeOnFailure: draft.cookieChangeOnFailure ?? false,
    canarySticky: draft.affinitySticky ?? true,
    mode: draft.affinityMode ?? 'balanced',
  };
}

function timeoutsOf({ connectSeconds, readSeconds, sendSeconds }: Draft): UpstreamTimeouts | undefined {
  if (connectSeconds === undefined && readSeconds === undefined && sendSeconds === undefined)
    return undefined;
  const ms = (seconds: number | undefined): number | undefined =>
    seconds === undefined ? undefined : seconds * 1_000;
  return {
    connectMs: ms(connectSeconds),
    readMs: ms(readSeconds),
    sendMs: ms(sendSeconds),
    wholeMs: undefined,
  };
}

function retryOf({ retryOn, retryNonIdempotent, retryTries, retrySeconds }: Draft): RetryPolicy | undefined {
  if (retryOn === undefined && retryTries === undefined && retrySeconds === undefined) return undefined;
  return {
    on: retryOn ?? ['error', 'timeout'],
    nonIdempotent: retryNonIdempotent ?? false,
    tries: retryTries ?? 3,
    withinMs: (retrySeconds ?? 0) * 1_000,
  };
}

function balanceOf({ hashBy, balance }: Draft): Balance | undefined {
  if (hashBy !== undefined) return { kind: 'hash', by: hashBy };
  if (balance === 'address') return { kind: 'hash', by: '$remote_addr' };
  return balance === undefined ? undefined : { kind: balance };
}
