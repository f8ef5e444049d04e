/**
 * Every annotation of ingress-nginx 1.12 (its documents "Annotations" and "Annotations Scope and Risk"), and those of former
 * versions that its change log tells of. Written out by itself, so that a row that is lost is missed.
 */
export const everyNginxAnnotation: readonly string[] = `
  server-alias allowlist-source-range whitelist-source-range backend-protocol auth-realm auth-secret auth-secret-type auth-type
  canary canary-by-cookie canary-by-header canary-by-header-pattern canary-by-header-value canary-weight canary-weight-total
  auth-tls-error-page auth-tls-match-cn auth-tls-pass-certificate-to-upstream auth-tls-secret auth-tls-verify-client
  auth-tls-verify-depth client-body-buffer-size configuration-snippet connection-proxy-header cors-allow-credentials
  cors-allow-headers cors-allow-methods cors-allow-origin cors-expose-headers cors-max-age enable-cors custom-http-errors
  custom-headers default-backend denylist-source-range disable-proxy-intercept-errors enable-global-auth
  auth-always-set-cookie auth-cache-duration auth-cache-key auth-keepalive auth-keepalive-requests auth-keepalive-share-vars
  auth-keepalive-timeout auth-method auth-proxy-set-headers auth-request-redirect auth-response-headers auth-signin
  auth-signin-redirect-param auth-snippet auth-url fastcgi-index fastcgi-params-configmap http2-push-preload load-balance
  enable-access-log enable-rewrite-log mirror-host mirror-request-body mirror-target enable-modsecurity
  enable-owasp-core-rules modsecurity-snippet modsecurity-transaction-id enable-opentelemetry opentelemetry-operation-name
  opentelemetry-trust-incoming-span enable-opentracing opentracing-trust-incoming-span proxy-body-size proxy-buffer-size
  proxy-buffering proxy-buffers-number proxy-busy-buffers-size proxy-connect-timeout proxy-cookie-domain proxy-cookie-path
  proxy-http-version proxy-max-temp-file-size proxy-next-upstream proxy-next-upstream-timeout proxy-next-upstream-tries
  proxy-read-timeout proxy-redirect-from proxy-redirect-to proxy-request-buffering proxy-send-timeout proxy-ssl-ciphers
  proxy-ssl-name proxy-ssl-protocols proxy-ssl-secret proxy-ssl-server-name proxy-ssl-verify proxy-ssl-verify-depth
  limit-allowlist limit-whitelist limit-burst-multiplier limit-connections limit-rate limit-rate-after limit-rpm limit-rps
  global-rate-limit global-rate-limit-window global-rate-limit-key global-rate-limit-ignored-cidrs from-to-www-redirect
  permanent-redirect permanent-redirect-code relative-redirects temporal-redirect temporal-redirect-code app-root
  force-ssl-redirect preserve-trailing-slash rewrite-target ssl-redirect use-regex ssl-ciphers ssl-prefer-server-ciphers
  ssl-passthrough satisfy server-snippet service-upstream affinity affinity-canary-behavior affinity-mode
  session-cookie-change-on-failure session-cookie-conditional-samesite-none session-cookie-domain session-cookie-expires
  session-cookie-max-age session-cookie-name session-cookie-partitioned session-cookie-path session-cookie-samesite
  session-cookie-secure session-cookie-hash stream-snippet upstream-hash-by upstream-hash-by-subset
  upstream-hash-by-subset-size upstream-vhost use-port-in-redirects x-forwarded-prefix enable-influxdb influxdb-measurement
  influxdb-port influxdb-host influxdb-server-name secure-backends secure-verify-ca-secret grpc-backend add-base-url
  base-url-scheme lua-resty-waf upstream-max-fails upstream-fail-timeout vts-filter-key
`
  .trim()
  .split(/\s+/);
