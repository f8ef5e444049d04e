import type { Ingress } from '../../src/api/kubernetes/ingress.ts';
import type { Question } from './ask.ts';
import type { Expected } from './expected.ts';
import { nginx, type PathSpec, site } from './objects.ts';
import { clientAddress, sitesSecret } from './world.ts';

/** What is asked; the host only where it is not the site's own. */
type Asked = Partial<Question> & { readonly secure?: boolean };

export interface AnnotatedSite {
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly paths?: readonly PathSpec[];
  readonly service?: string;
  readonly tls?: true;
  /** The host where another site has it. */
  readonly host?: string;
  readonly requests: readonly (readonly [asked: Asked, expected: Expected])[];
}

const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` });
const origin = 'https://app.example.org';
const preflight = { origin, 'access-control-request-method': 'PUT' };
const regex: readonly PathSpec[] = [['/api(/|$)(.*)', 'ImplementationSpecific']];

/** Sites with annotations of ingress-nginx, what is asked of them, and what is to come of it (edge.md, section 2). */
export const annotatedSites: readonly AnnotatedSite[] = [
  {
    name: 'ssl-default',
    annotations: {},
    tls: true,
    requests: [
      [
        { path: '/a?b' },
        {
          status: 308,
          fields: { location: 'https://ssl-default.example.com/a?b', 'strict-transport-security': null },
        },
      ],
      [{ path: '/.well-known/acme-challenge/t' }, { status: 200 }],
      [
        { secure: true },
        { status: 200, fields: { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } },
      ],
    ],
  },
  { name: 'ssl-off', annotations: { 'ssl-redirect': 'false' }, tls: true, requests: [[{}, { status: 200 }]] },
  {
    name: 'ssl-forced',
    annotations: { 'force-ssl-redirect': 'true' },
    requests: [[{ path: '/x' }, { status: 308, fields: { location: 'https://ssl-forced.example.com/x' } }]],
  },
  {
    name: 'app-root',
    annotations: { 'app-root': '/app' },
    requests: [
      [{}, { status: 302, fields: { location: '/app' } }],
      [{ path: '/app' }, { status: 200 }],
    ],
  },
  {
    name: 'permanent',
    annotations: {
      'permanent-redirect': 'https://new.example.org$request_uri',
      'permanent-redirect-code': '308',
    },
    requests: [[{ path: '/a?b' }, { status: 308, fields: { location: 'https://new.example.org/a?b' } }]],
  },
  {
    name: 'temporal',
    annotations: { 'temporal-redirect': 'https://new.example.org' },
    requests: [[{}, { status: 302, fields: { location: 'https://new.example.org' } }]],
  },
  {
    name: 'from-www',
    annotations: { 'from-to-www-redirect': 'true' },
    requests: [
      [
        { host: 'www.from-www.example.com', path: '/a?b' },
        { status: 308, fields: { location: 'http://from-www.example.com/a?b' } },
      ],
    ],
  },
  {
    name: 'alias',
    annotations: { 'server-alias': 'alias.example.org' },
    requests: [[{ host: 'alias.example.org' }, { status: 200, upstream: 'one' }]],
  },
  {
    name: 'rewrite',
    annotations: { 'rewrite-target': '/$2', 'x-forwarded-prefix': '/api' },
    paths: regex,
    requests: [
      [
        { path: '/API/users/7?x=1' },
        { status: 200, path: '/users/7?x=1', sent: { 'x-forwarded-prefix': '/api' } },
      ],
      [{ path: '/apis' }, { status: 404 }],
      [{ path: '/api/%2e%2e/%2e%2e/admin' }, { status: 400 }],
    ],
  },
  {
    name: 'regex',
    annotations: { 'use-regex': 'true' },
    paths: [
      ['/v[0-9]+/items', 'ImplementationSpecific', 'two'],
      ['/', 'Prefix'],
    ],
    requests: [
      [{ path: '/V12/items/7' }, { upstream: 'two' }],
      [{ path: '/v/items' }, { upstream: 'one' }],
    ],
  },
  {
    name: 'vhost',
    annotations: { 'upstream-vhost': 'inside.local' },
    requests: [[{}, { sent: { host: 'inside.local', 'x-forwarded-host': 'vhost.example.com' } }]],
  },
  {
    name: 'body-default',
    annotations: {},
    requests: [
      [{ method: 'POST', body: 'x'.repeat(1_048_576) }, { status: 200 }],
      [{ method: 'POST', body: 'x'.repeat(1_048_577) }, { status: 413 }],
    ],
  },
  {
    name: 'body-small',
    annotations: { 'proxy-body-size': '10' },
    requests: [
      [{ method: 'POST', body: 'ten bytes!' }, { status: 200 }],
      [{ method: 'POST', body: 'eleven byte' }, { status: 413 }],
      [{ method: 'POST', body: 'eleven byte', headers: { 'transfer-encoding': 'chunked' } }, { status: 413 }],
    ],
  },
  {
    name: 'body-free',
    annotations: { 'proxy-body-size': '0', 'proxy-request-buffering': 'off' },
    requests: [[{ method: 'POST', path: '/echo', body: 'x'.repeat(1_100_000) }, { status: 200 }]],
  },
  {
    name: 'allowed',
    annotations: { 'whitelist-source-range': `${clientAddress}/32` },
    requests: [
      [{ from: clientAddress }, { status: 200 }],
      [{}, { status: 403 }],
      [{ headers: { 'x-forwarded-for': clientAddress } }, { status: 403 }],
    ],
  },
  {
    name: 'denied',
    annotations: { 'denylist-source-range': `${clientAddress}/32` },
    requests: [
      [{ from: clientAddress }, { status: 403 }],
      [{}, { status: 200 }],
    ],
  },
  {
    name: 'basic',
    annotations: { 'auth-type': 'basic', 'auth-secret': 'users', 'auth-realm': 'Staff' },
    requests: [
      [{}, { status: 401, fields: { 'www-authenticate': /realm="Staff"/ } }],
      [{ headers: basic('ann:secret') }, { status: 200 }],
      [{ headers: basic('ann:guess') }, { status: 401 }],
      [{ path: '/.well-known/acme-challenge/t' }, { status: 401 }],
    ],
  },
  {
    name: 'basic-lost',
    annotations: { 'auth-type': 'basic', 'auth-secret': 'no-such-secret' },
    requests: [[{ headers: basic('ann:secret') }, { status: 503 }]],
  },
  {
    name: 'external',
    annotations: {
      'auth-url': 'http://10.77.0.28:8080/check',
      'auth-signin': 'https://sign.in/start',
      'auth-response-headers': 'X-User',
    },
    requests: [
      [{ headers: { 'x-who': 'ann', 'x-user': 'root' } }, { status: 200, sent: { 'x-user': 'ann' } }],
      [{ headers: { 'x-who': 'bob' } }, { status: 403 }],
      [{}, { status: 302, fields: { location: /^https:\/\/sign\.in\/start\?rd=/ } }],
    ],
  },
  {
    name: 'external-inside',
    annotations: { 'auth-url': 'http://169.254.169.254/latest' },
    requests: [[{}, { status: 503 }]],
  },
  {
    name: 'cors',
    annotations: {
      'enable-cors': 'true',
      'cors-allow-origin': origin,
      'cors-max-age': '60',
      'cors-expose-headers': 'X-Upstream',
    },
    requests: [
      [
        { method: 'OPTIONS', headers: preflight },
        {
          status: 204,
          fields: {
            'access-control-allow-origin': origin,
            'access-control-max-age': '60',
            'access-control-allow-credentials': 'true',
          },
        },
      ],
      [
        { headers: { origin } },
        {
          status: 200,
          fields: { 'access-control-allow-origin': origin, 'access-control-expose-headers': 'X-Upstream' },
        },
      ],
      [
        { headers: { origin: 'https://evil.example.org' } },
        { status: 200, fields: { 'access-control-allow-origin': null } },
      ],
    ],
  },
  {
    name: 'main',
    annotations: { affinity: 'cookie', 'session-cookie-name': 'route' },
    requests: [[{}, { upstream: 'one', fields: { 'set-cookie': /^route=/ } }]],
  },
  {
    name: 'canary-header',
    host: 'main.example.com',
    annotations: { canary: 'true', 'canary-by-header': 'X-Canary', 'canary-by-header-value': 'please' },
    service: 'canary',
    requests: [
      [{ headers: { 'x-canary': 'please' } }, { upstream: 'canary' }],
      [{ headers: { 'x-canary': 'always' } }, { upstream: 'one' }],
    ],
  },
  { name: 'weighed', annotations: {}, requests: [] },
  {
    name: 'canary-weight',
    host: 'weighed.example.com',
    annotations: { canary: 'true', 'canary-weight': '100' },
    service: 'canary',
    requests: [[{}, { upstream: 'canary' }]],
  },
  {
    name: 'cookied',
    annotations: {},
    requests: [[{ headers: { cookie: 'beta=never' } }, { upstream: 'one' }]],
  },
  {
    name: 'canary-cookie',
    host: 'cookied.example.com',
    annotations: { canary: 'true', 'canary-by-cookie': 'beta' },
    service: 'canary',
    requests: [[{ headers: { cookie: 'beta=always' } }, { upstream: 'canary' }]],
  },
  {
    name: 'retried',
    annotations: {},
    service: 'half-dead',
    requests: Array.from({ length: 3 }, () => [{ path: '/once' }, { upstream: 'one' }] as const),
  },
  {
    name: 'unretried',
    annotations: { 'proxy-next-upstream': 'off' },
    service: 'dead',
    requests: [[{}, { status: 502 }]],
  },
  {
    name: 'tried-on',
    annotations: { 'proxy-next-upstream': 'http_503', 'proxy-next-upstream-tries': '1' },
    requests: [[{ path: '/?status=503' }, { status: 503, upstream: 'one' }]],
  },
  {
    name: 'impatient',
    annotations: { 'proxy-read-timeout': '1', 'proxy-next-upstream': 'off' },
    requests: [[{ path: '/?slow' }, { status: 504 }]],
  },
  {
    name: 'pages',
    annotations: { 'custom-http-errors': '404,502', 'default-backend': 'pages' },
    requests: [
      [
        { path: '/a?status=404' },
        {
          status: 404,
          upstream: 'pages',
          sent: { 'x-code': '404', 'x-ingress-name': 'pages', 'x-original-uri': '/a?status=404' },
        },
      ],
      [{ path: '/?status=500' }, { status: 500, upstream: 'one' }],
    ],
  },
  {
    name: 'rescued',
    annotations: { 'default-backend': 'pages' },
    service: 'empty',
    requests: [[{}, { status: 200, upstream: 'pages' }]],
  },
  {
    name: 'snippet',
    annotations: { 'configuration-snippet': 'deny all;' },
    requests: [[{}, { status: 503 }]],
  },
  {
    name: 'no-such-protocol',
    annotations: { 'backend-protocol': 'FCGI' },
    requests: [[{}, { status: 503 }]],
  },
  {
    name: 'misspelt',
    annotations: { 'whitelist-source-range': '10.0.0.0/33' },
    requests: [[{}, { status: 503 }]],
  },
];

/** The Ingress of a row. */
export function annotatedIngress({ name, host, annotations, paths, service, tls }: AnnotatedSite): Ingress {
  return site(host ?? `${name}.example.com`, {
    name,
    annotations: nginx(annotations),
    ...(paths !== undefined && { paths }),
    ...(service !== undefined && { service }),
    ...(tls && { tls: sitesSecret }),
  });
}
