/**
 * Annotations of ingress-nginx, without their prefix, that guard access or say how an upstream is verified, and that
 * this version does not implement: serving the Ingress without them would open what its owner closed.
 */
export const unsupportedGuards: ReadonlySet<string> = new Set([
  'allowlist-source-range',
  'auth-tls-secret',
  'auth-type',
  'auth-url',
  'denylist-source-range',
  'proxy-ssl-ciphers',
  'proxy-ssl-protocols',
  'whitelist-source-range',
]);

/** Annotations that change what is served, and that this version does not implement: passed over, visibly. */
export const unsupportedSettings: ReadonlySet<string> = new Set([
  'affinity',
  'app-root',
  'auth-tls-verify-client',
  'configuration-snippet',
  'custom-http-errors',
  'enable-cors',
  'from-to-www-redirect',
  'limit-connections',
  'limit-rps',
  'permanent-redirect',
  'proxy-body-size',
  'proxy-connect-timeout',
  'proxy-read-timeout',
  'proxy-send-timeout',
  'proxy-ssl-verify-depth',
  'rewrite-target',
  'server-alias',
  'server-snippet',
  'ssl-passthrough',
  'temporal-redirect',
  'upstream-vhost',
  'use-regex',
]);
