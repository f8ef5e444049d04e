import type { RunSettings } from './run-settings.ts';

/** What the edge is told by flags beside where it listens and what it serves. Times in milliseconds, sizes in bytes. */
export interface EdgeFlags {
  readonly watchIngressWithoutClass: boolean;
  readonly externalNames: boolean;
  /** Absent: one for each core. */
  readonly workers: number | undefined;
  /** As clients see it; absent: 443, or where the edge listens where there is no cluster. */
  readonly httpsRedirectPort: number | undefined;
  readonly defaultCertificate: { readonly namespace: string; readonly name: string } | undefined;
  readonly sslRedirect: boolean;
  readonly hsts:
    | { readonly maxAgeSeconds: number; readonly includeSubDomains: boolean; readonly preload: boolean }
    | undefined;
  /** Absent for none. */
  readonly accessLog: string | undefined;
  readonly drainMs: number;
  readonly trustedRanges: readonly string[];
  readonly proxyProtocol: boolean;
  readonly forwardedHeader: boolean;
  readonly limits: {
    readonly headBytes: number;
    readonly headers: number;
    readonly target: number;
    readonly requestsPerConnection: number;
    readonly connections: number;
    readonly connectionsPerAddress: number;
    readonly handshakesPerAddress: number;
    readonly streams: number;
    readonly resets: number;
    readonly controlFrames: number;
  };
  /** Of a request's body; 0 for any length. */
  readonly bodyBytes: number;
  readonly limitStatus: 429 | 503;
  readonly timeouts: {
    readonly headMs: number;
    readonly idleMs: number;
    readonly handshakeMs: number;
    readonly keepAliveMs: number;
    readonly tunnelMs: number;
  };
  readonly tls: {
    readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
    readonly ciphers: readonly string[];
    readonly sessionTickets: boolean;
  };
}

/** The part of the settings that is the edge's. */
export function edgeFlags(settings: RunSettings): EdgeFlags {
  return {
    watchIngressWithoutClass: settings.watchIngressWithoutClass,
    externalNames: settings.externalNames,
    workers: settings.edgeWorkers,
    httpsRedirectPort: settings.httpsRedirectPort,
    defaultCertificate: settings.defaultSslCertificate,
    sslRedirect: settings.sslRedirect,
    hsts: settings.hsts
      ? {
          maxAgeSeconds: settings.hstsMaxAge,
          includeSubDomains: settings.hstsIncludeSubdomains,
          preload: settings.hstsPreload,
        }
      : undefined,
    accessLog: settings.accessLog === 'off' ? undefined : settings.accessLog,
    drainMs: settings.drainTimeout,
    trustedRanges: settings.trustedProxies,
    proxyProtocol: settings.proxyProtocol,
    forwardedHeader: settings.forwardedHeader,
    limits: {
      headBytes: settings.maxHeaderSize,
      headers: settings.maxHeaders,
      target: settings.maxUriLength,
      requestsPerConnection: settings.maxRequestsPerConnection,
      connections: settings.maxConnections,
      connectionsPerAddress: settings.maxConnectionsPerAddress,
      handshakesPerAddress: settings.maxHandshakesPerAddress,
      streams: settings.maxHttp2Streams,
      resets: settings.maxHttp2Resets,
      controlFrames: settings.maxHttp2ControlFrames,
    },
    bodyBytes: settings.maxBodySize,
    limitStatus: settings.limitStatus === '429' ? 429 : 503,
    timeouts: {
      headMs: settings.headerTimeout,
      idleMs: settings.bodyTimeout,
      handshakeMs: settings.handshakeTimeout,
      keepAliveMs: settings.keepAliveTimeout,
      tunnelMs: settings.tunnelTimeout,
    },
    tls: {
      minVersion: settings.tlsMinVersion === '1.3' ? 'TLSv1.3' : 'TLSv1.2',
      ciphers: settings.tlsCiphers,
      sessionTickets: settings.tlsSessionTickets,
    },
  };
}
