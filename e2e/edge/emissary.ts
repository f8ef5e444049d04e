import { expect, it } from 'vitest';
import type { KubeObject } from '../../src/api/meta.ts';
import type { Question } from './ask.ts';
import { check, type Expected } from './expected.ts';
import { mapping, secret, tlsContext } from './objects.ts';
import { type Chapter, sitesSecret } from './world.ts';

const plain = 'one.default:8080';
const secure = 'https://secure:8443';

const objects: readonly KubeObject[] = [
  mapping('text', { hostname: 'map.example.com', prefix: '/foo', service: plain }),
  mapping('longer', { hostname: 'map.example.com', prefix: '/foo/long', service: 'two:8080', rewrite: '' }),
  mapping('exact', {
    hostname: 'map.example.com',
    prefix: '/exact',
    prefix_exact: true,
    service: 'two:8080',
  }),
  mapping('regex', {
    hostname: 'map.example.com',
    prefix: '/r[0-9]+',
    prefix_regex: true,
    service: 'three:8080',
    rewrite: '',
  }),
  mapping('any-case', {
    hostname: 'map.example.com',
    prefix: '/Case',
    case_sensitive: false,
    service: 'two:8080',
  }),
  mapping('put', { hostname: 'map.example.com', prefix: '/foo', method: 'PUT', service: 'three:8080' }),
  mapping('by-header', {
    hostname: 'map.example.com',
    prefix: '/foo',
    headers: { 'x-to': 'three' },
    service: 'three:8080',
  }),
  mapping('by-query', {
    hostname: 'map.example.com',
    prefix: '/foo',
    query_parameters: { to: 'two' },
    service: 'two:8080',
  }),
  mapping('preceding', {
    hostname: 'map.example.com',
    prefix: '/',
    prefix_exact: true,
    precedence: 10,
    service: 'three:8080',
  }),
  mapping('regex-rewrite', {
    hostname: 'map.example.com',
    prefix: '/rr/',
    regex_rewrite: { pattern: '/rr/([a-z]+)', substitution: '/\\1' },
    service: plain,
  }),
  mapping('edits', {
    hostname: 'map.example.com',
    prefix: '/edits',
    service: plain,
    host_rewrite: 'inside.local',
    add_request_headers: { 'x-added': { value: 'yes', append: false } },
    remove_request_headers: ['x-unwanted'],
    add_response_headers: { 'x-served-by': { value: 'edge', append: false } },
    remove_response_headers: ['x-upstream'],
  }),
  mapping('moved', {
    hostname: 'moved.example.net',
    prefix: '/',
    service: 'new.example.net',
    host_redirect: true,
    redirect_response_code: 308,
  }),
  mapping('heavy', { hostname: 'weight.example.net', prefix: '/', service: 'two:8080', weight: 100 }),
  mapping('light', { hostname: 'weight.example.net', prefix: '/', service: plain, weight: 0 }),
  mapping('starred', { hostname: '*.star.example.net', prefix: '/', service: plain }),
  mapping('slow', { hostname: 'slow.example.net', prefix: '/', service: plain, timeout_ms: 300 }),
  // TLS to the service.
  mapping('tls-verified', {
    hostname: 'tls.example.net',
    prefix: '/verified',
    service: secure,
    tls: 'by-ca',
  }),
  mapping('tls-certified', {
    hostname: 'tls.example.net',
    prefix: '/certified',
    service: secure,
    tls: 'with-pair',
  }),
  mapping('tls-old', { hostname: 'tls.example.net', prefix: '/old', service: secure, tls: 'old' }),
  mapping('tls-system', { hostname: 'tls.example.net', prefix: '/system', service: secure }),
  mapping('tls-misnamed', {
    hostname: 'tls.example.net',
    prefix: '/misnamed',
    service: secure,
    tls: 'misnamed',
  }),
  mapping('tls-lost', {
    hostname: 'tls.example.net',
    prefix: '/lost',
    service: secure,
    tls: 'no-such-context',
  }),
  mapping('tls-broken', { hostname: 'tls.example.net', prefix: '/broken', service: secure, tls: 'broken' }),
  mapping('tls-forced', { hostname: 'tls.example.net', prefix: '/forced', service: secure, tls: 'forced' }),
  tlsContext('by-ca', { ca_secret: 'inner-ca', sni: 'upstream.internal' }),
  tlsContext('with-pair', {
    ca_secret: 'inner-ca',
    secret: 'edge-client.default',
    sni: 'upstream.internal',
    min_tls_version: 'v1.3',
  }),
  tlsContext('old', { ca_secret: 'inner-ca', sni: 'upstream.internal', max_tls_version: 'v1.2' }),
  tlsContext('misnamed', { ca_secret: 'inner-ca', sni: 'elsewhere.internal' }),
  tlsContext('broken', { ca_secret: 'no-such-secret', sni: 'upstream.internal' }),
  tlsContext('forced', { ca_secret: 'inner-ca', secret: 'not-a-pair', sni: 'upstream.internal' }),
  secret('not-a-pair', { 'tls.crt': 'nonsense', 'tls.key': 'nonsense' }),
  // TLS of clients.
  mapping('terminated', { hostname: 'term.example.com', prefix: '/', service: plain }),
  tlsContext('terminated', {
    hosts: ['term.example.com'],
    secret: sitesSecret,
    min_tls_version: 'v1.3',
    redirect_cleartext_from: 80,
  }),
];

const rows: readonly (readonly [
  what: string,
  host: string,
  question: Partial<Question>,
  expected: Expected,
])[] = [
  [
    'a prefix is text, and / stands in its place',
    'map.example.com',
    { path: '/foobar' },
    { upstream: 'one', path: '/bar' },
  ],
  [
    'the longer prefix, not rewritten',
    'map.example.com',
    { path: '/foo/long/x' },
    { upstream: 'two', path: '/foo/long/x' },
  ],
  ['prefix_exact', 'map.example.com', { path: '/exact' }, { upstream: 'two', path: '/' }],
  ['prefix_exact is no prefix', 'map.example.com', { path: '/exact/x' }, { status: 404 }],
  ['prefix_regex', 'map.example.com', { path: '/r12' }, { upstream: 'three', path: '/r12' }],
  ['prefix_regex is for the whole path', 'map.example.com', { path: '/r12x' }, { status: 404 }],
  ['case_sensitive: false', 'map.example.com', { path: '/cASE/x' }, { upstream: 'two' }],
  ['method', 'map.example.com', { path: '/foo', method: 'PUT' }, { upstream: 'three' }],
  ['headers', 'map.example.com', { path: '/foo', headers: { 'x-to': 'three' } }, { upstream: 'three' }],
  ['query_parameters', 'map.example.com', { path: '/foo?to=two' }, { upstream: 'two' }],
  ['precedence', 'map.example.com', { path: '/' }, { upstream: 'three' }],
  ['regex_rewrite', 'map.example.com', { path: '/rr/abc' }, { upstream: 'one', path: '/abc' }],
  [
    'header edits and host_rewrite',
    'map.example.com',
    { path: '/edits', headers: { 'x-unwanted': '1', 'x-added': 'no' } },
    {
      sent: { 'x-added': 'yes', 'x-unwanted': null, host: 'inside.local' },
      fields: { 'x-served-by': 'edge', 'x-upstream': null },
    },
  ],
  [
    'host_redirect',
    'moved.example.net',
    { path: '/a?b' },
    { status: 308, fields: { location: /\/\/new\.example\.net\/a\?b$/ } },
  ],
  ['weight', 'weight.example.net', {}, { upstream: 'two' }],
  ['a glob in the first label', 'a.star.example.net', {}, { upstream: 'one' }],
  ['a glob stands for something', 'star.example.net', {}, { status: 404 }],
  ['timeout_ms', 'slow.example.net', { path: '/?slow' }, { status: 504 }],
  [
    'tls: a CA alone, the name in sni',
    'tls.example.net',
    { path: '/verified' },
    { status: 200, tls: { sni: 'upstream.internal', client: null } },
  ],
  [
    'tls: a client certificate',
    'tls.example.net',
    { path: '/certified' },
    { status: 200, tls: { client: 'edge', version: 'TLSv1.3', authorized: true } },
  ],
  ['tls: max_tls_version', 'tls.example.net', { path: '/old' }, { status: 200, tls: { version: 'TLSv1.2' } }],
  ['https without a context: the CAs of the system', 'tls.example.net', { path: '/system' }, { status: 502 }],
  ['tls: the host name is verified', 'tls.example.net', { path: '/misnamed' }, { status: 502 }],
  ['tls: a context that is not there', 'tls.example.net', { path: '/lost' }, { status: 503 }],
  ['tls: a CA that is not there', 'tls.example.net', { path: '/broken' }, { status: 503 }],
  ['tls: a client certificate that is none', 'tls.example.net', { path: '/forced' }, { status: 503 }],
  [
    'redirect_cleartext_from',
    'term.example.com',
    { path: '/a' },
    { status: 308, fields: { location: 'https://term.example.com/a' } },
  ],
];

export const emissary: Chapter = {
  title: 'Mapping and TLSContext, edge.md section 3',
  objects: () => objects,
  tests(world) {
    it.each(rows)('%s: %s %j', async (_what, host, question, expected) =>
      check(await world().ask(host, question), expected),
    );

    it('a TLSContext with hosts terminates TLS for them', async () => {
      const answer = await world().askTls('term.example.com');
      expect(answer.certificate?.subject.CN).toBe('sites');
      expect(answer.seen().upstream).toBe('one');
    });

    it('statement 15: 421 where the connection was made for another host, and not as this one asks', async () => {
      const { askTls } = world();
      const other = { sni: 'ssl-off.example.com' };
      expect((await askTls('term.example.com', {}, other)).status).toBe(200);
      expect((await askTls('term.example.com', {}, { ...other, maxVersion: 'TLSv1.2' })).status).toBe(421);
      const back = { sni: 'term.example.com' };
      expect((await askTls('ssl-off.example.com', {}, back)).status).toBe(200);
    });
  },
};
