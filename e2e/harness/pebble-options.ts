import type { PebbleServers } from '../servers/pebble.ts';

const defaultValiditySeconds = 90 * 24 * 3_600;

export interface PebbleOptions {
  /** A folder for this server alone: configuration, certificates and logs. It is made, and left behind. */
  readonly dir: string;
  /** Where validation connects to for HTTP01 (80 for what a real CA does) and TLS-ALPN-01. */
  readonly httpPort: number;
  readonly tlsPort: number;
  /** IPv4 that the DNS server answers for every name that `setHost` has not been told. */
  readonly dnsDefault: string;
  /** Where both servers listen; loopback unless told otherwise. Ports are chosen. */
  readonly bindAddress?: string;
  /** Validate at once instead of after a random pause; true unless told otherwise. */
  readonly noSleep?: boolean;
  /** Share of good nonces that are refused, 0 (the default) to 99. */
  readonly nonceRejectPercent?: number;
  /** Share of valid authorizations that a new order reuses, 0 (the default) to 100. */
  readonly authzReusePercent?: number;
  /** Validity of the leaf certificates; 90 days unless told otherwise. */
  readonly validitySeconds?: number;
  /** What Pebble says in Retry-After; 0 (the default) leaves the header out. From 2.5 on. */
  readonly retryAfterSeconds?: number;
  /** Key ID to base64url HMAC key; when there are any, accounts need an external account binding. */
  readonly externalAccountKeys?: Readonly<Record<string, string>>;
  /** Domains for which orders are refused. */
  readonly blockedDomains?: readonly string[];
  /** More of Pebble's switches, e.g. `{ PEBBLE_ALTERNATE_ROOTS: '1' }`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Other executables than the newest that can be had. */
  readonly servers?: PebbleServers;
}

/** The `pebble` object of the configuration file, but for the addresses. Read by Pebble 2.4 and 2.10 alike: each ignores the fields it does not know. */
export function pebbleConfig(
  options: PebbleOptions,
  files: { readonly cert: string; readonly key: string },
): object {
  const validityPeriod = options.validitySeconds ?? defaultValiditySeconds;
  const retryAfterSeconds = options.retryAfterSeconds ?? 0;
  const externalAccountKeys = options.externalAccountKeys ?? {};
  return {
    certificate: files.cert,
    privateKey: files.key,
    httpPort: options.httpPort,
    tlsPort: options.tlsPort,
    ocspResponderURL: '',
    externalAccountBindingRequired: Object.keys(externalAccountKeys).length > 0,
    externalAccountMACKeys: externalAccountKeys,
    domainBlocklist: options.blockedDomains ?? [],
    retryAfter: { authz: retryAfterSeconds, order: retryAfterSeconds },
    keyAlgorithm: 'ecdsa', // 2.4: always RSA
    certificateValidityPeriod: validityPeriod, // before profiles
    profiles: {
      default: { description: 'What a client gets that asks for none', validityPeriod },
      shortlived: { description: 'Six days', validityPeriod: 6 * 24 * 3_600 },
    },
  };
}

/** Pebble's environment. */
export function pebbleSwitches(options: PebbleOptions): Record<string, string> {
  return {
    PEBBLE_VA_NOSLEEP: (options.noSleep ?? true) ? '1' : '0',
    PEBBLE_WFE_NONCEREJECT: String(options.nonceRejectPercent ?? 0),
    PEBBLE_AUTHZREUSE: String(options.authzReusePercent ?? 0),
    ...options.env,
  };
}
