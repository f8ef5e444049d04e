import type { PrivateMaterial } from '../compile/private-material.ts';

/**
 * What happens to the requests of a route beside their forwarding. Plain data, so that it can be sent to another
 * process; one object is shared by all routes of an Ingress that have the same settings. What is undefined is not asked
 * for. `plainPolicy` has nothing at all.
 */
export interface RoutePolicy {
  /** Why nothing is forwarded or answered otherwise: a guard that could not be honoured. Answered with 503. */
  readonly refusal: string | undefined;
  readonly redirect: RedirectPolicy;
  readonly sourceRanges: SourceRanges | undefined;
  /** With `any`, a client within the ranges needs no password, and one with a password need not be within the ranges. */
  readonly satisfy: 'all' | 'any';
  readonly basicAuth: BasicAuth | undefined;
  readonly externalAuth: ExternalAuth | undefined;
  readonly clientCertificate: ClientCertificatePolicy | undefined;
  readonly limits: RequestLimits;
  readonly rewrite: Rewrite | undefined;
  readonly cors: Cors | undefined;
  readonly affinity: Affinity | undefined;
  /** Undefined: what the edge has for all sites. */
  readonly hsts: Hsts | undefined;
  readonly requestHeaders: HeaderEdits | undefined;
  readonly responseHeaders: HeaderEdits | undefined;
  /** The Host sent to the upstream, where it is not the client's: a template (`request-template.ts`). */
  readonly upstreamHost: string | undefined;
  readonly timeouts: UpstreamTimeouts | undefined;
  readonly retry: RetryPolicy | undefined;
  readonly balance: Balance | undefined;
  /** Which statuses of the upstream are replaced by the answer of another backend, and its key in the table. */
  readonly errorPages: { readonly statuses: readonly number[]; readonly backend: string } | undefined;
  /** A key of the table's backends: it takes the requests whose own backend has no endpoints. */
  readonly fallbackBackend: string | undefined;
  /** Whether a request may change protocols (WebSocket). */
  readonly allowUpgrade: boolean;
  readonly accessLog: boolean;
}

export interface RedirectPolicy {
  /** Plain HTTP goes to HTTPS where the host has TLS; undefined: as `--ssl-redirect` says. */
  readonly ssl: boolean | undefined;
  /** Plain HTTP goes to HTTPS whether the host has TLS or not. */
  readonly forceSsl: boolean;
  /** The Ingress has a TLS entry that names no hosts, so that it counts for each of its rules. */
  readonly tlsForEveryHost: boolean;
  /** Every request goes there: a template (`request-template.ts`). `keepPath` appends the request's path and query. */
  readonly to: { readonly status: number; readonly location: string; readonly keepPath: boolean } | undefined;
  /** Requests for `/` go to this path. */
  readonly appRoot: string | undefined;
}

/** CIDR ranges. Empty `allow`: everyone but those denied. */
export interface SourceRanges {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

export interface BasicAuth {
  readonly realm: string;
  /** User to password hash, as in an htpasswd file. */
  readonly users: ReadonlyMap<string, PrivateMaterial>;
}

/** A request to another service decides: 2xx lets pass, 401 and 403 are answered, all else is 500. */
export interface ExternalAuth {
  /** An http or https URL: a template (`request-template.ts`). */
  readonly url: string;
  /** Undefined: GET. */
  readonly method: string | undefined;
  /** Where a 401 sends a browser: a template. */
  readonly signIn: string | undefined;
  readonly signInRedirectParameter: string;
  /** Fields of the answer that are passed to the upstream, in lower case. */
  readonly responseHeaders: readonly string[];
  /** Set-Cookie of the answer is passed to the client even if the upstream's answer is an error. */
  readonly alwaysSetCookie: boolean;
  /** What X-Auth-Request-Redirect says in place of the path and query of the request: a template. */
  readonly requestRedirect: string | undefined;
  readonly timeoutMs: number;
}

/** Client certificates (mutual TLS): asked for by the host, judged for each route. */
export interface ClientCertificatePolicy {
  /** Equal for equal settings. */
  readonly id: string;
  readonly mode: 'on' | 'optional' | 'optional_no_ca';
  /** PEM. */
  readonly ca: string;
  readonly crl: string | undefined;
  readonly depth: number;
  readonly passToUpstream: boolean;
  /** Where a client goes whose certificate is missing or does not verify, in place of 400: a template. */
  readonly errorPage: string | undefined;
  /** A regular expression for the common name of the subject, from its beginning. */
  readonly commonName: string | undefined;
}

export interface RequestLimits {
  /** Undefined: the edge's own; 0: unbounded. */
  readonly bodyBytes: number | undefined;
  /** For each client address. */
  readonly requestsPerSecond: number | undefined;
  readonly requestsPerMinute: number | undefined;
  /** How many times the rate may come at once. */
  readonly burstFactor: number;
  /** Requests under way at the same time. */
  readonly connections: number | undefined;
  /** CIDR ranges that are not limited. */
  readonly exempt: readonly string[];
}

export type Rewrite =
  /** The groups of the route's pattern, `$1` to `$9`, stand in the target. A route without a pattern has none. */
  | { readonly kind: 'pattern'; readonly target: string }
  /** The matched prefix is replaced (Mapping's `rewrite`). */
  | { readonly kind: 'prefix'; readonly prefix: string; readonly replacement: string }
  /** The first match of a pattern anywhere in the path is replaced (Mapping's `regex_rewrite`). */
  | { readonly kind: 'regex'; readonly pattern: string; readonly substitution: string };

export interface Cors {
  /** `*`, an origin, or an origin with one wildcard label. */
  readonly origins: readonly string[];
  readonly methods: string;
  readonly headers: string;
  readonly exposeHeaders: string | undefined;
  readonly credentials: boolean;
  readonly maxAgeSeconds: number;
}

export interface Affinity {
  readonly cookie: string;
  readonly path: string;
  readonly domain: string | undefined;
  readonly sameSite: 'Strict' | 'Lax' | 'None' | undefined;
  readonly conditionalSameSiteNone: boolean;
  readonly secure: boolean | undefined;
  readonly maxAgeSeconds: number | undefined;
  readonly expiresSeconds: number | undefined;
  readonly partitioned: boolean;
  readonly changeOnFailure: boolean;
  /** A client that a canary served stays with it, and one that the main backend served with that. */
  readonly canarySticky: boolean;
  /** `balanced` may move a client when endpoints change, `persistent` never as long as its endpoint lives. */
  readonly mode: 'balanced' | 'persistent';
}

export interface Hsts {
  readonly maxAgeSeconds: number;
  readonly includeSubDomains: boolean;
  readonly preload: boolean;
}

/** Names in lower case for `remove`. `set` replaces, `add` appends. */
export interface HeaderEdits {
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly add: readonly (readonly [name: string, value: string])[];
  readonly remove: readonly string[];
}

/** Milliseconds; undefined: the edge's own. */
export interface UpstreamTimeouts {
  readonly connectMs: number | undefined;
  /** Silence of the upstream. */
  readonly readMs: number | undefined;
  /** Silence while the request's body is sent. */
  readonly sendMs: number | undefined;
  /** From the end of the request to the end of the answer (Mapping's `timeout_ms`). */
  readonly wholeMs: number | undefined;
}

export type RetryReason =
  | 'error'
  | 'timeout'
  | 'http_500'
  | 'http_502'
  | 'http_503'
  | 'http_504'
  | 'http_429';

export interface RetryPolicy {
  readonly on: readonly RetryReason[];
  /** Requests that are not idempotent too. */
  readonly nonIdempotent: boolean;
  /** All tries together; 0: as many as there are endpoints. */
  readonly tries: number;
  /** For all tries together, in milliseconds; 0: unbounded. */
  readonly withinMs: number;
}

export type Balance =
  | { readonly kind: 'round-robin' | 'least-connections' }
  /** Requests of equal text go to the same endpoint. `by` is a list of parts: a literal, `$request_uri`, ... */
  | { readonly kind: 'hash'; readonly by: string };

/** Nothing beside forwarding, but what holds for every site by default. */
export const plainPolicy: RoutePolicy = Object.freeze({
  refusal: undefined,
  redirect: Object.freeze({
    ssl: undefined,
    forceSsl: false,
    tlsForEveryHost: false,
    to: undefined,
    appRoot: undefined,
  }),
  sourceRanges: undefined,
  satisfy: 'all',
  basicAuth: undefined,
  externalAuth: undefined,
  clientCertificate: undefined,
  limits: Object.freeze({
    bodyBytes: undefined,
    requestsPerSecond: undefined,
    requestsPerMinute: undefined,
    burstFactor: 5,
    connections: undefined,
    exempt: [],
  }),
  rewrite: undefined,
  cors: undefined,
  affinity: undefined,
  hsts: undefined,
  requestHeaders: undefined,
  responseHeaders: undefined,
  upstreamHost: undefined,
  timeouts: undefined,
  retry: undefined,
  balance: undefined,
  errorPages: undefined,
  fallbackBackend: undefined,
  allowUpgrade: true,
  accessLog: true,
});
