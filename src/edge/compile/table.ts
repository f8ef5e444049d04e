import type { PathPattern } from '../match/path-pattern.ts';
import type { PrivateMaterial } from './private-material.ts';

/** Which Ingress something comes from. */
export interface IngressRef {
  readonly namespace: string;
  readonly name: string;
}

/** One address of a Service. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** How TLS to an upstream is spoken. Never unverified unless someone wrote so. */
export interface UpstreamTls {
  /** Equal for equal settings, so that connections are shared and a changed Secret starts new ones. */
  readonly id: string;
  readonly verify: boolean;
  /** The name the certificate must carry. */
  readonly verifiedName: string;
  /** The name sent in SNI, or undefined for none. */
  readonly serverName: string | undefined;
  /** PEM; undefined for the system's authorities. */
  readonly ca: string | undefined;
  readonly client: { readonly certificate: string; readonly key: PrivateMaterial } | undefined;
}

/** Where a route leads. `key` names the Service and its port, and is stable over recompiles. */
export type Backend =
  | {
      readonly kind: 'endpoints';
      readonly key: string;
      readonly endpoints: readonly Endpoint[];
      readonly tls: UpstreamTls | undefined;
    }
  | {
      readonly kind: 'external';
      readonly key: string;
      /** A name that is resolved when a connection is made, or an address. */
      readonly host: string;
      readonly port: number;
      readonly tls: UpstreamTls | undefined;
    }
  /** Nothing can be forwarded: the request is answered with 503. `reason` goes to the log alone. */
  | { readonly kind: 'unavailable'; readonly key: string; readonly reason: string };

export type PathKind = 'Exact' | 'Prefix' | 'Regex' | 'Default';

/** What happens to a request that matched. */
export interface Route {
  readonly ingress: IngressRef;
  /** As in the rule, in lower case; `''` for rules without a host. */
  readonly host: string;
  readonly path: string;
  readonly kind: PathKind;
  /** Redirect plain HTTP where the host has TLS. */
  readonly sslRedirect: boolean;
  /** Redirect plain HTTP whether the host has TLS or not. */
  readonly forceSslRedirect: boolean;
  /** The Ingress has a TLS entry that names no hosts, so that it counts for each of its rules. */
  readonly tlsForEveryHost: boolean;
  readonly backend: Backend;
}

/** The routes of one host, laid out for look-ups whose cost does not grow with their number. */
export interface HostRoutes {
  readonly host: string;
  readonly exact: ReadonlyMap<string, Route>;
  /** By prefix key: without the trailing slash. */
  readonly prefixes: ReadonlyMap<string, Route>;
  /** The longest prefix, in elements: no look-up begins beyond it. */
  readonly deepestPrefix: number;
  /** In the order in which they are tried. */
  readonly patterns: readonly PatternRoute[];
  /** The default backend of an Ingress that has rules for this host. */
  readonly fallback: Route | undefined;
}

/** A route by regular expression. */
export interface PatternRoute {
  readonly pattern: PathPattern;
  readonly elements: number;
  readonly route: Route;
}

/** A certificate with its key, fit to be served. */
export interface ServerCertificate {
  /** SHA-256 of certificate and key: the same material has the same id. */
  readonly id: string;
  /** `namespace/name` of the Secret. */
  readonly secret: string;
  /** PEM, leaf first. */
  readonly chain: string;
  readonly key: PrivateMaterial;
  /** Milliseconds since the epoch. */
  readonly notAfterMs: number;
}

/** What a name is served with: a certificate, or the default one because its Secret cannot be used. */
export type SniEntry =
  | { readonly kind: 'certificate'; readonly certificate: ServerCertificate }
  | { readonly kind: 'default'; readonly reason: string };

/**
 * Everything the edge knows, compiled whole from the objects and never changed: a new one takes its place in
 * one assignment, and requests under way keep the one they began with.
 */
export interface RoutingTable {
  /** By host as in the rules: a name, `*.foo.com`, or `''` for rules without a host. */
  readonly hosts: ReadonlyMap<string, HostRoutes>;
  /** The default backend for what no rule matches. */
  readonly fallback: Route | undefined;
  /** By name or one-label wildcard. */
  readonly sni: ReadonlyMap<string, SniEntry>;
  /** Names and one-label wildcards that some Ingress has TLS for. */
  readonly tlsHosts: ReadonlySet<string>;
}

/** A table that routes nothing. */
export const emptyTable: RoutingTable = {
  hosts: new Map(),
  fallback: undefined,
  sni: new Map(),
  tlsHosts: new Set(),
};
