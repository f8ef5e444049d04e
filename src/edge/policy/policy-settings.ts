import type { Hsts } from './route-policy.ts';

/** What the program's flags say for all routes. Plain data, so that it can be sent to another process. */
export interface PolicySettings {
  /** The port of redirects to HTTPS as clients see it, or undefined where HTTPS is not served (`--https-redirect-port`). */
  readonly httpsPort: number | undefined;
  /** Plain HTTP goes to HTTPS where the host has TLS and its Ingress says nothing (`--ssl-redirect`). */
  readonly sslRedirect: boolean;
  /** CIDR ranges of proxies in front, whose word on forwarded fields is taken (`--trusted-proxies`). */
  readonly trustedRanges: readonly string[];
  /** The longest body of a request in bytes where its Ingress says nothing; 0: unbounded (`--max-body-size`). */
  readonly bodyBytes: number;
  /** Strict-Transport-Security of sites with TLS, or undefined for none (`--hsts`, `--hsts-max-age`, `--hsts-include-subdomains`, `--hsts-preload`). */
  readonly hsts: Hsts | undefined;
  /** What clients get that ask too often (`--limit-status`): 503 as behind ingress-nginx, or 429 (RFC 6585 section 4). */
  readonly limitStatus: 429 | 503;
  /** Which part of a limit this process gives out: 1 divided by the number of workers. */
  readonly limitShare: number;
  /** RFC 7239 `Forwarded` is sent to upstreams beside X-Forwarded-* (`--forwarded-header`). */
  readonly forwardedHeader: boolean;
}

/** The settings of a program that was told nothing. */
export const defaultPolicySettings: PolicySettings = Object.freeze({
  httpsPort: 443,
  sslRedirect: true,
  trustedRanges: [],
  bodyBytes: 1_048_576,
  hsts: Object.freeze({ maxAgeSeconds: 31_536_000, includeSubDomains: true, preload: false }),
  limitStatus: 503,
  limitShare: 1,
  forwardedHeader: true,
});
