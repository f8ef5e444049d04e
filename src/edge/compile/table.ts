import type { MappingHost } from '../match/mapping-table.ts';
import type { PathPattern } from '../match/path-pattern.ts';
import type { ClientCertificatePolicy, RoutePolicy } from '../policy/route-policy.ts';
import type { PrivateMaterial } from './private-material.ts';

/** Which object something comes from. */
export interface SourceRef {
  readonly kind: 'Ingress' | 'Mapping';
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
  /** PEM: revoked certificates are refused. */
  readonly crl: string | undefined;
  /** How many authorities may stand between the certificate and one of `ca`; undefined: any number. */
  readonly depth: number | undefined;
  readonly handshake: HandshakeOptions;
}

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** What is offered in a TLS handshake. */
export interface HandshakeOptions {
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** OpenSSL's list, for TLS 1.2; undefined: the edge's own. */
  readonly ciphers: string | undefined;
  /** Names of groups with colons between; undefined: OpenSSL's own. */
  readonly curves: string | undefined;
}

/** TLS 1.2 and 1.3 with the edge's own suites. */
export const plainHandshake: HandshakeOptions = Object.freeze({
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: undefined,
  curves: undefined,
});

/** What is spoken with an upstream. */
export type UpstreamProtocol = 'http1' | 'http2';

/**
 * Where a route leads. `key` names the Service, its port and how it is spoken to, and is stable over recompiles: equal
 * keys are the same backend.
 */
export type Backend =
  | {
      readonly kind: 'endpoints';
      readonly key: string;
      readonly endpoints: readonly Endpoint[];
      readonly protocol: UpstreamProtocol;
      readonly tls: UpstreamTls | undefined;
    }
  | {
      readonly kind: 'external';
      readonly key: string;
      /** A name that is resolved when a connection is made, or an address. */
      readonly host: string;
      readonly port: number;
      readonly protocol: UpstreamProtocol;
      readonly tls: UpstreamTls | undefined;
    }
  /** Nothing can be forwarded: the request is answered with 503. `reason` goes to the log alone. */
  | { readonly kind: 'unavailable'; readonly key: string; readonly reason: string };

export type PathKind = 'Exact' | 'Prefix' | 'Regex' | 'Default';

/** What happens to a request that matched. */
export interface Route {
  readonly source: SourceRef;
  /** As in the rule, in lower case; `''` for rules without a host. */
  readonly host: string;
  readonly path: string;
  readonly kind: PathKind;
  readonly policy: RoutePolicy;
  /** A key of the table's backends: endpoints come and go without a change of the route. */
  readonly backend: string;
  /** Where some of the requests go instead, in the order in which they are asked: canaries, weighted Mappings. */
  readonly alternatives: readonly Alternative[];
}

/** Another target for some of a route's requests. */
export interface Alternative {
  readonly source: SourceRef;
  readonly when: AlternativeCondition;
  readonly policy: RoutePolicy;
  readonly backend: string;
}

/** When an alternative is taken. Without a header or cookie that decides, `weight` of `total` requests are. */
export interface AlternativeCondition {
  /** In lower case. Without `value`: `always` and `never` decide. */
  readonly header:
    | { readonly name: string; readonly value: string | undefined; readonly pattern: string | undefined }
    | undefined;
  /** `always` and `never` decide. */
  readonly cookie: string | undefined;
  readonly weight: number;
  readonly total: number;
}

/** The routes of one host, laid out for look-ups whose cost does not grow with their number. */
export interface HostRoutes {
  readonly host: string;
  readonly exact: ReadonlyMap<string, Route>;
  /** The Prefix `/`, which takes what no longer path does; mostly the only one. */
  readonly root: Route | undefined;
  /** The others, by prefix key: without the trailing slash. */
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

/**
 * What a name is served with: a certificate, or the default one because its Secret cannot be used; and how TLS is spoken,
 * where that is not as the flags say (a TLSContext). `spare`: it is one of the certificate's own names, and is served as
 * long as nothing else names the host.
 */
export type SniEntry = (
  | { readonly kind: 'certificate'; readonly certificate: ServerCertificate }
  | { readonly kind: 'default'; readonly reason: string }
) & { readonly settings?: HostTlsSettings | undefined; readonly spare?: true };

/** How TLS is spoken with the clients of a name. Undefined: as the flags say. */
export interface HostTlsSettings {
  /** Equal for equal settings. */
  readonly id: string;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3' | undefined;
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3' | undefined;
  /** OpenSSL's names, joined by colons. */
  readonly ciphers: string | undefined;
  /** OpenSSL's names, joined by colons. */
  readonly curves: string | undefined;
  readonly alpn: readonly ('h2' | 'http/1.1')[] | undefined;
  /**
   * The certificate that clients are asked for. It is the routes' policies that refuse those without: a request may come by
   * a connection that was made for another name.
   */
  readonly clientCertificate: ClientCertificatePolicy | undefined;
}

/**
 * Everything the edge knows, compiled from the objects and never changed: a new one takes its place in
 * one assignment, and requests under way keep the one they began with.
 */
export interface RoutingTable {
  /** By host as in the rules: a name, `*.foo.com`, or `''` for rules without a host. */
  readonly hosts: ReadonlyMap<string, HostRoutes>;
  /**
   * By name: routes of challenges, where no Ingress has another rule for the host. They take their paths alone: whatever
   * else is asked of the name goes where it would without them.
   */
  readonly solvers: ReadonlyMap<string, HostRoutes>;
  /** The default backend for what no rule matches. */
  readonly fallback: Route | undefined;
  /** Routes of Mappings, by hostname as they write it. */
  readonly mappings: ReadonlyMap<string, MappingHost>;
  /** By key. */
  readonly backends: ReadonlyMap<string, Backend>;
  /** By name or one-label wildcard; `''` is the default certificate, where one is given. */
  readonly sni: ReadonlyMap<string, SniEntry>;
  /** Names and one-label wildcards that some Ingress has TLS for. */
  readonly tlsHosts: ReadonlySet<string>;
}

/** A table that routes nothing. */
export const emptyTable: RoutingTable = {
  hosts: new Map(),
  solvers: new Map(),
  fallback: undefined,
  mappings: new Map(),
  backends: new Map(),
  sni: new Map(),
  tlsHosts: new Set(),
};
