import { hashSync } from 'bcryptjs';
import { describe, expect, it } from 'vitest';
import type { Secret } from '../../../api/kubernetes/secret.ts';
import { makeAuthority } from '../../certificates.testing.ts';
import { plainPolicy, type RoutePolicy } from '../../policy/route-policy.ts';
import { type IngressSettings, readAnnotations } from '../annotations.ts';
import { anIngress, aSecret } from '../builders.testing.ts';
import { type AnnotationRow, nginxPrefix } from './annotation-row.ts';
import { annotationGroups, annotationRows } from './annotation-rows.ts';
import { everyNginxAnnotation } from './every-annotation.testing.ts';

const rows = Object.values(annotationGroups).flat();
const authority = await makeAuthority();
const bcryptHash = hashSync('secret', 4);

const secrets: readonly Secret[] = [
  aSecret('users', { auth: `# people\nann:${bcryptHash}\nbob:plain text\n` }),
  aSecret('user-map', { ann: bcryptHash }),
  aSecret('one-user', { auth: `ann:${bcryptHash}` }),
  aSecret('nobody', { auth: 'bob:plain text' }),
  aSecret('empty', { other: 'x' }),
  aSecret('ca', { 'ca.crt': authority.certificate }),
  aSecret('no-ca', { 'tls.crt': authority.certificate }),
  aSecret('wrong-ca', { 'ca.crt': 'nonsense' }),
  aSecret('wrong-crl', { 'ca.crt': authority.certificate, 'ca.crl': 'nonsense' }),
];

function read(annotations: Readonly<Record<string, string>>): {
  settings: IngressSettings;
  policy: RoutePolicy;
  found: string[];
} {
  const prefixed = Object.entries(annotations).map(([name, value]) => [`${nginxPrefix}${name}`, value]);
  const ingress = anIngress({ annotations: Object.fromEntries(prefixed) });
  const { settings, findings } = readAnnotations(ingress, key =>
    secrets.find(({ metadata }) => metadata.name === key.name && metadata.namespace === key.namespace),
  );
  return {
    settings,
    policy: settings.policy,
    found: findings.map(({ reason, message }) => `${reason}: ${message}`),
  };
}

describe('the table of annotations', () => {
  it('has a row for every annotation of ingress-nginx, and none twice', () => {
    expect(everyNginxAnnotation.filter(name => !annotationRows.has(name))).toEqual([]);
    expect(rows.map(({ name }) => name).toSorted()).toEqual(
      [...new Set(rows.map(({ name }) => name))].toSorted(),
    );
  });

  it.each(rows.filter(({ support }) => support === 'supported' || support === 'differs'))(
    '$name is read',
    ({ read: reader }) => {
      expect(reader).toBeDefined();
    },
  );

  it.each(rows.filter(({ support }) => support === 'refused'))(
    '$name closes the Ingress, and says so',
    row => {
      const { policy, found } = read({ [row.name]: 'true', ...needs(row) });
      expect(policy.refusal).toContain(row.name);
      expect(found).toEqual([
        `AnnotationUnsupported: ${nginxPrefix}${row.name} is not supported: remove it to serve this Ingress without it. Until then its paths answer 503`.replace(
          'true',
          'true',
        ),
      ]);
    },
  );

  it.each(rows.filter(({ support }) => support === 'passed over'))(
    '$name is passed over, and says so',
    row => {
      const { policy, found } = read({ [row.name]: 'true' });
      expect(policy).toBe(plainPolicy);
      expect(found).toHaveLength(1);
      expect(found[0]).toContain(
        `AnnotationUnsupported: ${nginxPrefix}${row.name} is not supported and is passed over: `,
      );
      expect(found[0]).not.toMatch(/[`[\]]/);
    },
  );

  it.each(rows.filter(({ support }) => support === 'not needed'))('$name changes nothing', ({ name }) => {
    const { policy, found } = read({ [name]: 'true' });
    expect(policy).toBe(plainPolicy);
    expect(found).toEqual([]);
  });

  it.each(rows.filter(({ harmless }) => harmless?.('false') === true))(
    '$name: "false" asks for nothing',
    ({ name }) => {
      expect(read({ [name]: 'false' })).toMatchObject({ policy: plainPolicy, found: [] });
    },
  );

  it('an annotation that nobody knows is told of', () => {
    expect(read({ 'whitelist-source-ranges': '10.0.0.0/8' }).found).toEqual([
      `AnnotationUnsupported: ${nginxPrefix}whitelist-source-ranges is not known and is passed over: check its name`,
    ]);
  });
});

function needs({ name }: AnnotationRow): Record<string, string> {
  return name.startsWith('auth-') ? { 'auth-url': 'http://auth.default.svc/' } : {};
}

/** What stands in the annotations, and the part of the settings that follows. */
const taken: readonly [annotations: Record<string, string>, expected: object][] = [
  [{ 'ssl-redirect': 'false' }, { policy: { redirect: { ssl: false, forceSsl: false } } }],
  [{ 'force-ssl-redirect': 'true' }, { policy: { redirect: { ssl: undefined, forceSsl: true } } }],
  [{ 'app-root': '/app' }, { policy: { redirect: { appRoot: '/app' } } }],
  [
    { 'permanent-redirect': 'https://foo.com$request_uri' },
    {
      policy: { redirect: { to: { status: 301, location: 'https://foo.com$request_uri', keepPath: false } } },
    },
  ],
  [
    { 'permanent-redirect': 'https://foo.com', 'permanent-redirect-code': '308' },
    { policy: { redirect: { to: { status: 308 } } } },
  ],
  [
    { 'temporal-redirect': 'https://a.com', 'permanent-redirect': 'https://b.com' },
    { policy: { redirect: { to: { status: 302, location: 'https://a.com' } } } },
  ],
  [
    { 'temporal-redirect': 'https://a.com', 'temporal-redirect-code': '307' },
    { policy: { redirect: { to: { status: 307 } } } },
  ],
  [{ 'from-to-www-redirect': 'true' }, { fromToWww: true }],
  [{ 'server-alias': 'a.com, B.com' }, { serverAliases: ['a.com', 'b.com'] }],
  [{ 'use-regex': 'true' }, { useRegex: true, policy: { rewrite: undefined } }],
  [{ 'rewrite-target': '/$2' }, { useRegex: true, policy: { rewrite: { kind: 'pattern', target: '/$2' } } }],
  [{ 'upstream-vhost': 'in.side' }, { policy: { upstreamHost: 'in.side' } }],
  [
    { 'x-forwarded-prefix': '/app' },
    { policy: { requestHeaders: { set: [['X-Forwarded-Prefix', '/app']] } } },
  ],
  [
    { 'backend-protocol': 'https' },
    { upstream: { protocol: 'http1', tls: { verify: true }, asClient: false } },
  ],
  [{ 'backend-protocol': 'GRPC' }, { upstream: { protocol: 'http2', tls: undefined } }],
  [{ 'backend-protocol': 'GRPCS' }, { upstream: { protocol: 'http2', tls: { verify: true } } }],
  [
    { 'backend-protocol': 'AUTO_HTTP' },
    { upstream: { protocol: 'http1', tls: { verify: true }, asClient: true } },
  ],
  [
    { 'backend-protocol': 'HTTPS', 'proxy-ssl-secret': 'default/ca', 'proxy-ssl-name': 'x.y' },
    { upstream: { tls: { secret: 'default/ca', name: 'x.y' } } },
  ],
  [
    { 'backend-protocol': 'HTTPS', 'proxy-ssl-verify': 'off', 'proxy-ssl-server-name': 'off' },
    { upstream: { tls: { verify: false, sendServerName: false } } },
  ],
  [
    { 'backend-protocol': 'HTTPS', 'proxy-ssl-verify-depth': '3', 'proxy-ssl-ciphers': 'HIGH:!aNULL' },
    { upstream: { tls: { depth: 3, handshake: { ciphers: 'HIGH:!aNULL:!eNULL:!aNULL' } } } },
  ],
  [
    { 'backend-protocol': 'HTTPS', 'proxy-ssl-ciphers': 'TLS_AES_128_GCM_SHA256' },
    { upstream: { tls: { handshake: { ciphers: 'TLS_AES_128_GCM_SHA256' } } } },
  ],
  [
    { 'backend-protocol': 'HTTPS', 'proxy-ssl-protocols': 'TLSv1.1 TLSv1.2' },
    { upstream: { tls: { handshake: { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } } } },
  ],
  [
    { 'backend-protocol': 'HTTPS', 'proxy-ssl-protocols': 'TLSv1.3' },
    { upstream: { tls: { handshake: { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } } } },
  ],
  [
    { 'auth-tls-secret': 'default/ca' },
    {
      policy: {
        clientCertificate: { mode: 'on', depth: 1, ca: authority.certificate, passToUpstream: false },
      },
    },
  ],
  [
    {
      'auth-tls-secret': 'ca',
      'auth-tls-verify-client': 'optional',
      'auth-tls-verify-depth': '2',
      'auth-tls-error-page': 'https://help.com/',
      'auth-tls-pass-certificate-to-upstream': 'true',
      'auth-tls-match-cn': 'CN=(ann|bob)',
    },
    {
      policy: {
        clientCertificate: {
          mode: 'optional',
          depth: 2,
          errorPage: 'https://help.com/',
          passToUpstream: true,
          commonName: '(ann|bob)',
        },
      },
    },
  ],
  [
    { 'auth-tls-secret': 'ca', 'auth-tls-verify-client': 'off' },
    { policy: { clientCertificate: undefined } },
  ],
  [
    {
      'whitelist-source-range': '10.0.0.0/8, 192.0.2.1,2001:db8::/32',
      'denylist-source-range': '10.1.0.0/16',
    },
    {
      policy: {
        sourceRanges: { allow: ['10.0.0.0/8', '192.0.2.1', '2001:db8::/32'], deny: ['10.1.0.0/16'] },
      },
    },
  ],
  [
    { 'whitelist-source-range': '10.0.0.0/8', 'allowlist-source-range': '192.0.2.0/24' },
    { policy: { sourceRanges: { allow: ['192.0.2.0/24'], deny: [] } } },
  ],
  [{ satisfy: 'any' }, { policy: { satisfy: 'any' } }],
  [
    {
      'auth-type': 'basic',
      'auth-secret': 'user-map',
      'auth-secret-type': 'auth-map',
      'auth-realm': 'Staff',
    },
    { policy: { basicAuth: { realm: 'Staff' }, refusal: undefined } },
  ],
  [
    { 'auth-url': 'https://$host/oauth2/auth', 'auth-signin': 'https://$host/start?rd=$escaped_request_uri' },
    {
      policy: {
        externalAuth: {
          url: 'https://$host/oauth2/auth',
          signIn: 'https://$host/start?rd=$escaped_request_uri',
          responseHeaders: [],
          alwaysSetCookie: false,
        },
      },
    },
  ],
  [
    {
      'auth-url': 'http://auth.default.svc:8080/check',
      'auth-method': 'HEAD',
      'auth-signin': 'https://sign.in/?a=b',
      'auth-signin-redirect-param': 'next',
      'auth-response-headers': 'X-User, X-Groups',
      'auth-request-redirect': 'https://foo.com$uri',
      'auth-always-set-cookie': 'true',
    },
    {
      policy: {
        externalAuth: {
          method: 'HEAD',
          signIn: 'https://sign.in/?a=b&next=$pass_access_scheme://$http_host$escaped_request_uri',
          responseHeaders: ['x-user', 'x-groups'],
          requestRedirect: 'https://foo.com$uri',
          alwaysSetCookie: true,
        },
      },
    },
  ],
  [{ 'proxy-body-size': '8m' }, { policy: { limits: { bodyBytes: 8_388_608 } } }],
  [{ 'proxy-body-size': '0' }, { policy: { limits: { bodyBytes: 0 } } }],
  [
    {
      'limit-rps': '10',
      'limit-rpm': '100',
      'limit-connections': '3',
      'limit-burst-multiplier': '2',
      'limit-whitelist': '10.0.0.0/8',
    },
    {
      policy: {
        limits: {
          requestsPerSecond: 10,
          requestsPerMinute: 100,
          connections: 3,
          burstFactor: 2,
          exempt: ['10.0.0.0/8'],
        },
      },
    },
  ],
  [{ 'limit-allowlist': '10.0.0.0/8' }, { policy: { limits: { exempt: ['10.0.0.0/8'] } } }],
  [
    { 'proxy-connect-timeout': '2', 'proxy-read-timeout': '600', 'proxy-send-timeout': '30' },
    { policy: { timeouts: { connectMs: 2_000, readMs: 600_000, sendMs: 30_000, wholeMs: undefined } } },
  ],
  [
    { 'proxy-next-upstream': 'error http_502 non_idempotent', 'proxy-next-upstream-tries': '5' },
    { policy: { retry: { on: ['error', 'http_502'], nonIdempotent: true, tries: 5, withinMs: 0 } } },
  ],
  [
    { 'proxy-next-upstream': 'off', 'proxy-next-upstream-timeout': '7' },
    { policy: { retry: { on: [], tries: 3, withinMs: 7_000 } } },
  ],
  [{ 'service-upstream': 'true' }, { serviceUpstream: true }],
  [{ 'load-balance': 'ewma' }, { policy: { balance: { kind: 'least-connections' } } }],
  [{ 'load-balance': 'ip_hash' }, { policy: { balance: { kind: 'hash', by: '$remote_addr' } } }],
  [{ 'upstream-hash-by': '$request_uri' }, { policy: { balance: { kind: 'hash', by: '$request_uri' } } }],
  [
    { 'custom-http-errors': '404,503', 'default-backend': 'pages' },
    { errorStatuses: [404, 503], defaultBackend: 'pages' },
  ],
  [
    { 'enable-cors': 'true' },
    {
      policy: {
        cors: { origins: ['*'], credentials: true, maxAgeSeconds: 1_728_000, exposeHeaders: undefined },
      },
    },
  ],
  [
    {
      'enable-cors': 'true',
      'cors-allow-origin': 'https://a.com, https://*.b.com:8443',
      'cors-allow-methods': 'GET, POST',
      'cors-allow-headers': 'X-One',
      'cors-expose-headers': 'X-Two',
      'cors-allow-credentials': 'false',
      'cors-max-age': '60',
    },
    {
      policy: {
        cors: {
          origins: ['https://a.com', 'https://*.b.com:8443'],
          methods: 'GET, POST',
          headers: 'X-One',
          exposeHeaders: 'X-Two',
          credentials: false,
          maxAgeSeconds: 60,
        },
      },
    },
  ],
  [
    { canary: 'true', 'canary-weight': '20' },
    { canary: { weight: 20, total: 100, header: undefined, cookie: undefined } },
  ],
  [
    {
      canary: 'true',
      'canary-weight': '1',
      'canary-weight-total': '1000',
      'canary-by-header': 'X-Canary',
      'canary-by-header-value': 'yes',
      'canary-by-header-pattern': 'never read',
      'canary-by-cookie': 'canary',
    },
    {
      canary: {
        weight: 1,
        total: 1_000,
        header: { name: 'x-canary', value: 'yes', pattern: undefined },
        cookie: 'canary',
      },
    },
  ],
  [
    { canary: 'true', 'canary-by-header': 'x', 'canary-by-header-pattern': 'a|b' },
    { canary: { header: { name: 'x', value: undefined, pattern: 'a|b' } } },
  ],
  [
    { affinity: 'cookie' },
    { policy: { affinity: { cookie: 'INGRESSCOOKIE', mode: 'balanced', canarySticky: true, path: '' } } },
  ],
  [
    {
      affinity: 'cookie',
      'affinity-mode': 'persistent',
      'affinity-canary-behavior': 'legacy',
      'session-cookie-name': 'route',
      'session-cookie-path': '/app',
      'session-cookie-domain': 'foo.com',
      'session-cookie-max-age': '3600',
      'session-cookie-expires': '3600',
      'session-cookie-samesite': 'None',
      'session-cookie-conditional-samesite-none': 'true',
      'session-cookie-secure': 'true',
      'session-cookie-partitioned': 'true',
      'session-cookie-change-on-failure': 'true',
    },
    {
      policy: {
        affinity: {
          cookie: 'route',
          path: '/app',
          domain: 'foo.com',
          sameSite: 'None',
          conditionalSameSiteNone: true,
          secure: true,
          maxAgeSeconds: 3_600,
          expiresSeconds: 3_600,
          partitioned: true,
          changeOnFailure: true,
          canarySticky: false,
          mode: 'persistent',
        },
      },
    },
  ],
  [{ 'enable-access-log': 'false' }, { policy: { accessLog: false } }],
];

describe('annotations that are taken', () => {
  it.each(taken)('%j', (annotations, expected) => {
    const { settings, found } = read(annotations);
    expect(settings).toMatchObject(expected);
    expect(found).toEqual([]);
  });

  it('each row that is read is in one of these', () => {
    const tested = new Set(taken.flatMap(([annotations]) => Object.keys(annotations)));
    expect(rows.filter(({ name, read: reader }) => reader !== undefined && !tested.has(name))).toEqual([]);
  });

  it('equal settings are the same object, and those that say what holds anyway are no settings', () => {
    const { policy } = read({ 'proxy-read-timeout': '600', 'proxy-buffering': 'off' });
    expect(read({ 'proxy-read-timeout': '600' }).policy).toBe(policy);
    expect(read({ 'force-ssl-redirect': 'false', 'enable-cors': 'false' }).policy).toBe(plainPolicy);
    expect(Object.isFrozen(policy)).toBe(true);
  });
});

/** A value that cannot be honoured: what guards closes the Ingress, all else is passed over. Both are told. */
const wrong: readonly [annotations: Record<string, string>, outcome: 'closed' | 'served', says: string][] = [
  [{ 'ssl-redirect': 'yes' }, 'served', 'use "true" or "false"'],
  [{ 'force-ssl-redirect': 'on' }, 'closed', 'use "true" or "false"'],
  [{ 'app-root': '//evil.com' }, 'served', 'begins with one "/"'],
  [{ 'permanent-redirect': 'javascript:alert(1)' }, 'served', 'http or https URL'],
  [{ 'permanent-redirect': 'https://foo.com$secret' }, 'served', '"$secret" is not known'],
  [
    { 'permanent-redirect': 'https://foo.com', 'permanent-redirect-code': '200' },
    'served',
    'from 300 to 308',
  ],
  [{ 'temporal-redirect': '/path' }, 'served', 'http or https URL'],
  [{ 'server-alias': 'a.com, ~^b' }, 'served', 'passed over in part'],
  [{ 'use-regex': 'perhaps' }, 'closed', 'use "true" or "false"'],
  [{ 'rewrite-target': 'https://evil.com/$1' }, 'closed', 'use a path'],
  [{ 'rewrite-target': '/$host' }, 'closed', 'use a path'],
  [{ 'upstream-vhost': 'a b' }, 'served', 'host name'],
  [{ 'x-forwarded-prefix': '/$1' }, 'served', 'without variables'],
  [{ 'backend-protocol': 'FCGI' }, 'closed', '"HTTP", "HTTPS"'],
  [{ 'proxy-ssl-verify': 'true' }, 'closed', 'use "on" or "off"'],
  [{ 'proxy-ssl-verify-depth': '0' }, 'closed', 'from 1 to 100'],
  [{ 'proxy-ssl-protocols': 'TLSv1 TLSv1.1' }, 'closed', 'TLSv1.2'],
  [{ 'proxy-ssl-protocols': 'TLSv9' }, 'closed', 'TLSv1.2'],
  [{ 'proxy-ssl-ciphers': 'NONSENSE' }, 'closed', 'names of OpenSSL'],
  [{ 'proxy-ssl-ciphers': 'NULL-SHA256:aNULL' }, 'closed', 'names of OpenSSL'],
  [{ 'auth-tls-secret': 'missing' }, 'closed', 'does not exist'],
  [{ 'auth-tls-secret': 'kube-system/ca' }, 'closed', 'of another namespace'],
  [{ 'auth-tls-secret': 'no-ca' }, 'closed', 'no ca.crt'],
  [{ 'auth-tls-secret': 'wrong-ca' }, 'closed', 'holds no certificate'],
  [{ 'auth-tls-secret': 'wrong-crl' }, 'closed', 'revocation list'],
  [{ 'auth-tls-secret': '' }, 'closed', 'is empty'],
  [{ 'auth-tls-verify-client': 'on' }, 'closed', 'set nginx.ingress.kubernetes.io/auth-tls-secret'],
  [{ 'auth-tls-match-cn': 'CN=ann' }, 'closed', 'set nginx.ingress.kubernetes.io/auth-tls-secret'],
  [
    { 'auth-tls-match-cn': 'CN=ann', 'auth-tls-verify-client': 'optional' },
    'closed',
    'set nginx.ingress.kubernetes.io/auth-tls-secret',
  ],
  [{ 'auth-tls-secret': 'ca', 'auth-tls-verify-client': 'offf' }, 'closed', 'use "on", "off"'],
  [{ 'auth-tls-secret': 'ca', 'auth-tls-verify-depth': 'x' }, 'closed', 'from 1 to 100'],
  [{ 'auth-tls-secret': 'ca', 'auth-tls-match-cn': 'ann' }, 'closed', 'use "CN="'],
  [{ 'auth-tls-secret': 'ca', 'auth-tls-match-cn': 'CN=(?=a)' }, 'closed', 'look-around'],
  [{ 'auth-tls-error-page': 'javascript:x' }, 'served', 'http or https URL'],
  [{ 'whitelist-source-range': '10.0.0.0/33' }, 'closed', '"10.0.0.0/33" is none'],
  [{ 'whitelist-source-range': '' }, 'closed', 'is empty'],
  [{ 'denylist-source-range': 'everybody' }, 'closed', '"everybody" is none'],
  [{ satisfy: 'some' }, 'closed', 'use "all" or "any"'],
  [{ 'auth-type': 'digest', 'auth-secret': 'users' }, 'closed', 'use "basic"'],
  [{ 'auth-type': 'basic' }, 'closed', 'set nginx.ingress.kubernetes.io/auth-secret'],
  [{ 'auth-secret': 'users' }, 'closed', 'auth-type to "basic"'],
  [{ 'auth-type': 'basic', 'auth-secret': 'missing' }, 'closed', 'does not exist'],
  [{ 'auth-type': 'basic', 'auth-secret': 'other/users' }, 'closed', 'of another namespace'],
  [{ 'auth-type': 'basic', 'auth-secret': 'empty' }, 'closed', 'no key "auth"'],
  [{ 'auth-type': 'basic', 'auth-secret': 'nobody' }, 'closed', 'use bcrypt'],
  [{ 'auth-type': 'basic', 'auth-secret': 'users' }, 'served', 'its user "bob" is left out'],
  [
    { 'auth-type': 'basic', 'auth-secret': 'one-user', 'auth-secret-type': 'file' },
    'closed',
    'use "auth-file"',
  ],
  [{ 'auth-signin': 'https://login.com/' }, 'closed', 'set nginx.ingress.kubernetes.io/auth-url'],
  [{ 'auth-response-headers': 'X-User' }, 'closed', 'set nginx.ingress.kubernetes.io/auth-url'],
  [{ 'auth-url': 'ftp://auth' }, 'closed', 'http or https URL'],
  [{ 'auth-url': 'http://user:word@auth/' }, 'closed', 'without user and password'],
  [{ 'auth-url': 'http://169.254.169.254/' }, 'closed', 'not link-local'],
  [{ 'auth-url': 'http://$http_x_target/' }, 'closed', 'no variable but "$host"'],
  [{ 'auth-url': 'http://auth/', 'auth-method': 'CONNECT' }, 'closed', 'use "GET"'],
  [{ 'auth-url': 'http://auth/', 'auth-signin': '/login' }, 'closed', 'http or https URL'],
  [{ 'auth-url': 'http://auth/', 'auth-response-headers': 'X User' }, 'closed', 'header names'],
  [{ 'auth-url': 'http://auth/', 'auth-request-redirect': 'a b' }, 'closed', 'a URL or a path'],
  [{ 'auth-url': 'http://auth/', 'auth-snippet': 'proxy_set_header X 1;' }, 'closed', 'not supported'],
  [{ 'proxy-body-size': '1 mile' }, 'closed', 'number of bytes'],
  [{ 'limit-rps': 'many' }, 'closed', 'whole number'],
  [{ 'limit-rpm': '-1' }, 'closed', 'whole number'],
  [{ 'limit-connections': '' }, 'closed', 'is empty'],
  [{ 'limit-whitelist': 'me' }, 'served', '"me" is none'],
  [{ 'proxy-read-timeout': '60s' }, 'served', 'whole number'],
  [{ 'proxy-next-upstream': 'error http_404' }, 'served', 'passed over in part'],
  [{ 'load-balance': 'magic' }, 'served', '"round_robin"'],
  [{ 'upstream-hash-by': '$pid' }, 'served', '"$pid" is not known'],
  [{ 'custom-http-errors': '200,404' }, 'served', 'passed over in part'],
  [{ 'default-backend': 'a/b' }, 'served', 'name of a Service'],
  [{ 'enable-cors': 'true', 'cors-allow-origin': 'foo.com' }, 'served', '"foo.com" is none'],
  [{ canary: 'maybe' }, 'closed', 'use "true" or "false"'],
  [{ canary: 'true', 'canary-by-header': 'a b' }, 'served', 'name of a header'],
  [{ canary: 'true', 'canary-by-header-pattern': '(?<x>a)' }, 'served', 'expression is refused'],
  [{ affinity: 'ip' }, 'served', 'use "cookie"'],
  [{ affinity: 'cookie', 'session-cookie-path': '/a;Secure' }, 'served', 'a path'],
];

describe('annotations that cannot be honoured', () => {
  it.each(wrong)('%j: %s, says %s', (annotations, outcome, says) => {
    const { policy, found } = read(annotations);
    expect(policy.refusal === undefined ? 'served' : 'closed').toBe(outcome);
    expect(found.join('\n')).toContain(says);
    expect(found).toHaveLength(1);
  });

  it('what is said of a URL tells no password in it', () => {
    const { found } = read({
      'auth-url': 'http://user:word@auth/',
      'permanent-redirect': 'ftp://u:word@foo.com',
    });
    expect(found).toHaveLength(2);
    expect(found.join()).not.toContain('word@');
  });

  it.each([{}, { 'backend-protocol': 'GRPC' }])(
    'a Secret for TLS that nobody asks for is told of: %j',
    more => {
      const { policy, found } = read({ 'proxy-ssl-secret': 'default/ca', ...more });
      expect(policy.refusal).toBeUndefined();
      expect(found).toEqual([expect.stringContaining('without TLS')]);
    },
  );

  it('an origin that cannot be read opens nothing', () => {
    expect(read({ 'enable-cors': 'true', 'cors-allow-origin': 'foo.com' }).policy.cors?.origins).toEqual([]);
  });

  it('an empty value of what guards nothing is as none', () => {
    expect(read({ 'rewrite-target': '', 'proxy-body-size': '', 'enable-cors': '' })).toMatchObject({
      policy: plainPolicy,
      found: [],
    });
  });

  it.each([
    ['gzip off; proxy_buffer_size 16k;', 'served'],
    ['# nothing\n', 'served'],
    ['proxy_buffer_size 16k; deny all;', 'closed'],
    ['more_set_headers "X-Frame-Options: DENY";', 'closed'],
    ['if ($http_user_agent ~ bot) { return 403; }', 'closed'],
    ['gzip off; }  location / { gzip on;', 'closed'],
    ['gzip off', 'closed'],
  ])('the snippet %j: %s', (snippet, outcome) => {
    for (const name of ['configuration-snippet', 'server-snippet']) {
      const { policy, found } = read({ [name]: snippet });
      expect(policy.refusal === undefined ? 'served' : 'closed').toBe(outcome);
      expect(found).toHaveLength(1);
    }
  });
});
