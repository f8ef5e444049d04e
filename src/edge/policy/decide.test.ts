import { hashSync } from 'bcryptjs';
import { afterAll, describe, expect, it } from 'vitest';
import { PrivateMaterial } from '../compile/private-material.ts';
import {
  type Alternative,
  type Backend,
  emptyTable,
  type Route,
  type RoutingTable,
} from '../compile/table.ts';
import { standInFor } from './basic-auth.ts';
import { decide } from './decide.ts';
import { createDecideContext } from './decide-context.ts';
import type { AnswerDecision, Decision, ForwardDecision } from './decision.ts';
import { aClientCertificate, aHead, type HeadOptions } from './heads.testing.ts';
import { defaultPolicySettings, type PolicySettings } from './policy-settings.ts';
import { otherNamePolicy } from './redirects.ts';
import { plainPolicy, type RoutePolicy } from './route-policy.ts';

const source = { kind: 'Ingress', namespace: 'default', name: 'site' } as const;

interface TableOptions {
  readonly policy?: Partial<RoutePolicy>;
  readonly path?: string;
  readonly kind?: Route['kind'];
  readonly tls?: boolean;
  readonly alternatives?: readonly Alternative[];
  readonly endpoints?: number;
  readonly backends?: readonly Backend[];
  readonly more?: readonly Route[];
}

function backend(key: string, endpoints: number): Backend {
  const list = Array.from({ length: endpoints }, (_, at) => ({ address: `10.1.0.${at + 1}`, port: 80 }));
  return { kind: 'endpoints', key, endpoints: list, protocol: 'http1', tls: undefined };
}

/** A table with one route, of host `foo.com` unless it is a pattern's. */
function aTable(options: TableOptions = {}): RoutingTable {
  const { policy, path = '/', tls = true, alternatives = [], endpoints = 2, more = [] } = options;
  const route: Route = {
    source,
    host: 'foo.com',
    path,
    kind: options.kind ?? 'Prefix',
    policy: policy === undefined ? plainPolicy : { ...plainPolicy, ...policy },
    backend: 'default/web:80',
    alternatives,
  };
  const prefixes = new Map([route, ...more].map(one => [one.path.replace(/\/$/, ''), one]));
  const root = prefixes.get('');
  prefixes.delete('');
  const deepestPrefix = Math.max(0, ...[...prefixes.keys()].map(key => key.split('/').length - 1));
  const backends = [
    backend('default/web:80', endpoints),
    backend('default/canary:80', 1),
    ...(options.backends ?? []),
  ];
  return {
    ...emptyTable,
    hosts: new Map([
      [
        'foo.com',
        {
          host: 'foo.com',
          root,
          exact: new Map(),
          prefixes,
          deepestPrefix,
          patterns: [],
          fallback: undefined,
        },
      ],
    ]),
    backends: new Map(backends.map(one => [one.key, one])),
    tlsHosts: new Set(tls ? ['foo.com'] : []),
  };
}

const settings: PolicySettings = { ...defaultPolicySettings, trustedRanges: ['10.0.0.0/8'] };
const context = createDecideContext(settings, { nowMs: () => 0, random: () => 0.5 });
afterAll(() => context.passwords.close());

function decided(table: RoutingTable, head: HeadOptions = {}, parts: Partial<PolicySettings> = {}): Decision {
  const own = { ...context, settings: { ...settings, ...parts } };
  return decide(table, aHead(head), own);
}

async function settled(decision: Decision): Promise<AnswerDecision | ForwardDecision> {
  return decision.kind === 'pending' ? await decision.decision : decision;
}

function forwarded(decision: Decision): ForwardDecision {
  if (decision.kind !== 'forward') throw new Error(`not forwarded: ${JSON.stringify(decision)}`);
  return decision;
}

function statusOf(decision: Decision): number | 'forward' | 'pending' {
  return decision.kind === 'answer' ? decision.status : decision.kind;
}

const hsts = ['Strict-Transport-Security', 'max-age=31536000; includeSubDomains'] as const;

describe('a plain policy', () => {
  it('forwards, with HSTS for a site that has TLS', () => {
    const table = aTable();
    const decision = forwarded(decided(table, { target: '/a?b=c' }));
    expect(decision).toMatchObject({
      policy: plainPolicy,
      target: '/a?b=c',
      host: 'foo.com',
      backend: { key: 'default/web:80' },
      requestEdits: undefined,
      responseEdits: { set: [hsts], add: [], remove: [] },
      auth: undefined,
      pinned: undefined,
      bodyLimit: 1_048_576,
      release: undefined,
    });
    expect(forwarded(decided(table)).responseEdits).toBe(decision.responseEdits);
  });

  it.each<[what: string, table: TableOptions, head: HeadOptions, status: number | 'forward']>([
    ['another host', {}, { host: 'bar.com' }, 404],
    ['no endpoints', { endpoints: 0 }, {}, 503],
    ['plain HTTP with TLS', {}, { secure: false }, 308],
    ['plain HTTP without TLS', { tls: false }, { secure: false }, 'forward'],
    [
      'plain HTTP from a proxy that had TLS',
      {},
      { secure: false, trusted: true, from: '10.0.0.1', fields: ['X-Forwarded-Proto', 'https'] },
      'forward',
    ],
    [
      'plain HTTP from someone who says so',
      {},
      { secure: false, fields: ['X-Forwarded-Proto', 'https'] },
      308,
    ],
    ["ACME's path", {}, { secure: false, target: '/.well-known/acme-challenge/x' }, 'forward'],
    ["what is beside ACME's path", {}, { secure: false, target: '/.well-known/acme-challenge/x/../y' }, 308],
    ['a body of the longest', {}, { method: 'POST', contentLength: 1_048_576 }, 'forward'],
    ['a body that is longer', {}, { method: 'POST', contentLength: 1_048_577 }, 413],
    ['a body without a length', {}, { method: 'POST', chunked: true }, 'forward'],
  ])('%s', (_what, table, head, status) => {
    expect(statusOf(decided(aTable(table), head))).toBe(status);
  });

  it('redirects to the port of HTTPS, with path and query, and forwards where there is none', () => {
    const head = { secure: false, target: '/a?b=c' };
    expect(decided(aTable(), head)).toMatchObject({ fields: ['Location', 'https://foo.com/a?b=c'] });
    expect(decided(aTable(), head, { httpsPort: 8443 })).toMatchObject({
      fields: ['Location', 'https://foo.com:8443/a?b=c'],
    });
    expect(statusOf(decided(aTable(), head, { httpsPort: undefined }))).toBe('forward');
  });

  it.each<[what: string, policy: Partial<RoutePolicy>, host: string, status: number | 'forward']>([
    ['forced, no host is named', { redirect: { ...plainPolicy.redirect, forceSsl: true } }, '', 400],
    [
      'for every rule, no host is named',
      { redirect: { ...plainPolicy.redirect, tlsForEveryHost: true } },
      '',
      400,
    ],
    [
      'switched off, no host is named',
      { redirect: { ...plainPolicy.redirect, ssl: false, tlsForEveryHost: true } },
      '',
      'forward',
    ],
    [
      'forced, an address is named',
      { redirect: { ...plainPolicy.redirect, forceSsl: true } },
      '192.0.2.7',
      308,
    ],
  ])('never forwards in the clear where HTTPS is asked for: %s', (_what, policy, host, status) => {
    const table = aTable({ policy });
    const anyHost = new Map([...table.hosts].map(([, routes]) => ['', { ...routes, host: '' }]));
    expect(statusOf(decided({ ...table, hosts: anyHost }, { host, secure: false }))).toBe(status);
  });

  it('answers 421 where TLS is spoken in another way than the host asks', () => {
    const settings = { id: 'strict', minVersion: 'TLSv1.3', maxVersion: undefined } as const;
    const none = { ciphers: undefined, curves: undefined, alpn: undefined, clientCertificate: undefined };
    const entry = { kind: 'default', reason: 'none', settings: { ...settings, ...none } } as const;
    const table = { ...aTable(), sni: new Map([['foo.com', entry]]) };
    expect(statusOf(decided(table, { serverName: 'bar.com', version: 'TLSv1.2' }))).toBe(421);
    expect(statusOf(decided(table, { serverName: 'bar.com' }))).toBe('forward');
  });

  it('has no HSTS over plain HTTP, and for a site without TLS', () => {
    expect(forwarded(decided(aTable({ tls: false }))).responseEdits).toBeUndefined();
    expect(forwarded(decided(aTable({ tls: false }), { secure: false })).responseEdits).toBeUndefined();
  });
});

const ca = {
  id: 'p1',
  mode: 'on',
  ca: 'PEM',
  crl: undefined,
  depth: 1,
  passToUpstream: false,
  errorPage: undefined,
  commonName: undefined,
} as const;
const basicAuth = { realm: 'Sta"ff', users: new Map([['ann', new PrivateMaterial(hashSync('secret', 4))]]) };
const externalAuth = {
  url: 'http://auth.default.svc/',
  method: undefined,
  signIn: undefined,
  signInRedirectParameter: 'rd',
  responseHeaders: [],
  alwaysSetCookie: false,
  requestRedirect: undefined,
  timeoutMs: 1_000,
};
const cors = {
  origins: ['https://a.com'],
  methods: 'GET',
  headers: 'X',
  exposeHeaders: undefined,
  credentials: false,
  maxAgeSeconds: 1,
};
const preflight: HeadOptions = {
  method: 'OPTIONS',
  fields: ['Origin', 'https://a.com', 'Access-Control-Request-Method', 'PUT'],
};
const ranges = { allow: ['192.0.2.0/24'], deny: ['192.0.2.9'] };
const right = ['Authorization', `Basic ${Buffer.from('ann:secret').toString('base64')}`];
const wrong = ['Authorization', `Basic ${Buffer.from('ann:guess').toString('base64')}`];
const unknown = ['Authorization', `Basic ${Buffer.from('bob:secret').toString('base64')}`];
const redirect = {
  ...plainPolicy.redirect,
  to: { status: 301, location: 'https://b.com$request_uri', keepPath: false },
};

describe('guards', () => {
  it.each<[what: string, policy: Partial<RoutePolicy>, head: HeadOptions, status: number | 'forward']>([
    ['a guard that could not be honoured', { refusal: 'no' }, {}, 503],
    ['before a redirect to HTTPS', { refusal: 'no' }, { secure: false }, 503],
    ['inside of the ranges', { sourceRanges: ranges }, {}, 'forward'],
    ['outside of the ranges', { sourceRanges: ranges }, { from: '198.51.100.1' }, 403],
    ['denied within the ranges', { sourceRanges: ranges }, { from: '192.0.2.9' }, 403],
    ['denied alone', { sourceRanges: { allow: [], deny: ['192.0.2.1'] } }, {}, 403],
    ['not denied', { sourceRanges: { allow: [], deny: ['192.0.2.2'] } }, {}, 'forward'],
    [
      'the address a trusted proxy tells',
      { sourceRanges: ranges },
      { from: '10.0.0.1', trusted: true, fields: ['X-Forwarded-For', '192.0.2.4'] },
      'forward',
    ],
    [
      'the address anybody tells',
      { sourceRanges: ranges },
      { from: '198.51.100.1', fields: ['X-Forwarded-For', '192.0.2.4'] },
      403,
    ],
    [
      'a client certificate',
      { clientCertificate: ca },
      { client: aClientCertificate('p1', 'SUCCESS') },
      'forward',
    ],
    ['no client certificate', { clientCertificate: ca }, { client: aClientCertificate('p1', 'NONE') }, 400],
    [
      'statement 15: judged by another policy',
      { clientCertificate: ca },
      { client: aClientCertificate('p2', 'SUCCESS') },
      421,
    ],
    [
      'statement 15: the other host asks for none',
      {},
      { client: aClientCertificate('p2', 'SUCCESS') },
      'forward',
    ],
    [
      'no client certificate, with a page',
      { clientCertificate: { ...ca, errorPage: 'https://help.com/' } },
      { client: aClientCertificate('p1', 'NONE') },
      302,
    ],
    [
      'a long body',
      { limits: { ...plainPolicy.limits, bodyBytes: 10 } },
      { method: 'PUT', contentLength: 11 },
      413,
    ],
    [
      'a long body where there is no limit',
      { limits: { ...plainPolicy.limits, bodyBytes: 0 } },
      { method: 'PUT', contentLength: 5e9 },
      'forward',
    ],
    ['a preflight', { cors }, preflight, 204],
    ['a preflight of a stranger', { cors: { ...cors, origins: ['https://b.com'] } }, preflight, 'forward'],
    ['a preflight needs no password', { cors, basicAuth }, preflight, 204],
    [
      'a preflight from outside of the ranges',
      { cors, sourceRanges: ranges },
      { ...preflight, from: '198.51.100.1' },
      403,
    ],
    ['no password', { basicAuth }, {}, 401],
    ['a redirect', { redirect }, {}, 301],
    ['a redirect behind a password', { redirect, basicAuth }, {}, 401],
    ['any: inside of the ranges', { satisfy: 'any', sourceRanges: ranges, basicAuth }, {}, 'forward'],
    [
      'any: outside, no password',
      { satisfy: 'any', sourceRanges: ranges, basicAuth },
      { from: '198.51.100.1' },
      401,
    ],
    [
      'any: outside, nothing else asked',
      { satisfy: 'any', sourceRanges: ranges },
      { from: '198.51.100.1' },
      403,
    ],
    ['any: ranges are not there', { satisfy: 'any', basicAuth }, {}, 401],
    [
      'any: ranges that only keep some away speak for nobody else',
      { satisfy: 'any', sourceRanges: { allow: [], deny: ['198.51.100.0/24'] }, basicAuth },
      {},
      401,
    ],
    ['any: the credentials twice', { basicAuth }, { fields: [...right, ...right] }, 401],
  ])('%s', (_what, policy, head, status) => {
    expect(statusOf(decided(aTable({ policy }), head))).toBe(status);
  });

  it.each([
    ['/admin', 401],
    ['/admin/x%2Fy', 401],
    ['/admin%2Fx', 400],
    ['/admin%5Cx', 400],
    ['//admin', 400],
    ['/%2Fadmin/x', 400],
    ['/admin;a=b/x', 400],
    ['/;a/admin', 400],
    ['/projects/a%2Fb', 'forward'],
    ['/a//b;c/d', 'forward'],
    ['/twin%2Fx', 'forward'],
  ] as const)('%s, which an upstream may read as a guarded path: %s', (target, status) => {
    const common = { source, host: 'foo.com', kind: 'Prefix', backend: 'default/web:80' } as const;
    const twin = { ...common, path: '/twin', policy: plainPolicy, alternatives: [] };
    const policy = { ...plainPolicy, basicAuth };
    const table = aTable({ more: [{ ...common, path: '/admin', policy, alternatives: [] }, twin] });
    expect(statusOf(decided(table, { target }))).toBe(status);
    const all = aTable({ policy, more: [{ ...common, path: '/admin', policy, alternatives: [] }] });
    expect(statusOf(decided(all, { target }))).toBe(401);
  });

  it('a password is checked once, on another thread, and known from then on', async () => {
    const table = aTable({ policy: { basicAuth } });
    for (const [fields, status] of [
      [right, 'forward'],
      [wrong, 401],
      // As much is done for a user that is not there, even where the password is another one's.
      [unknown, 401],
    ] as const) {
      const first = decided(table, { fields });
      expect(first.kind).toBe('pending');
      expect(statusOf(await settled(first))).toBe(status);
      expect(statusOf(decided(table, { fields }))).toBe(status);
    }
  });

  it('what stands in for a user that is not there is drawn from all hashes, and always the same', () => {
    const users = new Map(['a', 'b', 'c'].map(name => [name, new PrivateMaterial(`hash of ${name}`)]));
    const names = Array.from({ length: 50 }, (_, at) => `guess ${at}`);
    const drawn = names.map(name => standInFor(name, users));
    expect(new Set(drawn)).toEqual(new Set([...users.values()].map(hash => hash.reveal())));
    expect(names.map(name => standInFor(name, users))).toEqual(drawn);
    expect(standInFor('guess', new Map())).toBeUndefined();
  });

  it('asks for a password in the name of its realm', () => {
    expect(decided(aTable({ policy: { basicAuth } }))).toMatchObject({
      fields: ['WWW-Authenticate', 'Basic realm="Sta\\"ff", charset="UTF-8"', ...hsts],
    });
  });

  it.each<[what: string, policy: Partial<RoutePolicy>, head: HeadOptions, asked: boolean]>([
    ['by itself', { externalAuth }, {}, true],
    ['after the ranges', { externalAuth, sourceRanges: ranges }, {}, true],
    [
      'any: not for those inside of the ranges',
      { satisfy: 'any', externalAuth, sourceRanges: ranges },
      {},
      false,
    ],
    [
      'any: for those outside',
      { satisfy: 'any', externalAuth, sourceRanges: ranges },
      { from: '198.51.100.1' },
      true,
    ],
    [
      'any: where the password is wrong',
      { satisfy: 'any', externalAuth, basicAuth },
      { fields: wrong },
      true,
    ],
    ['any: not where it is right', { satisfy: 'any', externalAuth, basicAuth }, { fields: right }, false],
    ['all: where the password is right too', { externalAuth, basicAuth }, { fields: right }, true],
  ])('another service is asked: %s', async (_what, policy, head, asked) => {
    const decision = await settled(decided(aTable({ policy }), head));
    expect(forwarded(decision).auth).toBe(asked ? externalAuth : undefined);
  });

  it('rules for the path of ACME have no guards; a request for it by another rule has', () => {
    const policy = { refusal: 'no', sourceRanges: ranges, basicAuth };
    const target = '/.well-known/acme-challenge/token';
    const more = [
      {
        source,
        host: 'foo.com',
        path: target,
        kind: 'Prefix',
        policy: { ...plainPolicy, ...policy },
        backend: 'default/canary:80',
        alternatives: [],
      } as const,
    ];
    const table = aTable({ policy: { basicAuth }, more });
    expect(statusOf(decided(table, { target, secure: false }))).toBe('forward');
    expect(statusOf(decided(table, { target: '/.well-known/acme-challenge/other' }))).toBe(401);
    expect(statusOf(decided(table, { target: `${target}/and/more` }))).toBe(503);
  });
});

describe('limits', () => {
  const limits = { ...plainPolicy.limits, requestsPerSecond: 1, burstFactor: 1 };

  it.each([503, 429] as const)('what is too much gets %d', limitStatus => {
    const own = createDecideContext({ ...settings, limitStatus }, { nowMs: () => 0 });
    const table = aTable({ policy: { limits } });
    const statuses = Array.from({ length: 3 }, () => statusOf(decide(table, aHead(), own)));
    expect(statuses).toEqual(['forward', 'forward', limitStatus]);
    expect(statusOf(decide(table, aHead({ from: '192.0.2.2' }), own))).toBe('forward');
  });

  it('those who are exempt are not counted', () => {
    const table = aTable({ policy: { limits: { ...limits, exempt: ['192.0.2.0/24'] } } });
    const own = createDecideContext(settings, { nowMs: () => 0 });
    expect(Array.from({ length: 5 }, () => statusOf(decide(table, aHead(), own)))).not.toContain(503);
  });

  it('a request that is answered here is under way no more, one that is forwarded until it is released', () => {
    const own = createDecideContext(settings, { nowMs: () => 0 });
    const one = { ...plainPolicy.limits, connections: 1 };
    const denied = aTable({ policy: { limits: one, basicAuth } });
    expect([1, 2].map(() => statusOf(decide(denied, aHead(), own)))).toEqual([401, 401]);
    const table = aTable({ policy: { limits: one } });
    const first = forwarded(decide(table, aHead(), own));
    expect(statusOf(decide(table, aHead(), own))).toBe(503);
    first.release?.();
    expect(statusOf(decide(table, aHead(), own))).toBe('forward');
  });
});

describe('redirects of the Ingress', () => {
  it.each<[policy: Partial<RoutePolicy>, target: string, location: string | undefined]>([
    [{ redirect }, '/a?b=c', 'https://b.com/a?b=c'],
    [
      { redirect: { ...redirect, to: { status: 302, location: 'https://b.com', keepPath: true } } },
      '/a?b',
      'https://b.com/a?b',
    ],
    [{ redirect: { ...plainPolicy.redirect, appRoot: '/app' } }, '/', '/app'],
    [{ redirect: { ...plainPolicy.redirect, appRoot: '/app' } }, '/app', undefined],
    [otherNamePolicy('www.foo.com'), '/a?b', 'https://www.foo.com/a?b'],
  ])('%j %s to %s', (policy, target, location) => {
    const decision = decided(aTable({ policy }), { target });
    expect(decision.kind === 'answer' ? decision.fields[1] : undefined).toBe(location);
  });

  it('from and to www keep scheme and port', () => {
    const table = aTable({ policy: otherNamePolicy('www.foo.com'), tls: false });
    expect(decided(table, { secure: false, publicPort: 8080, target: '/a' })).toMatchObject({
      status: 308,
      fields: ['Location', 'http://www.foo.com:8080/a'],
    });
  });
});

describe('forwarding', () => {
  it('rewrites, names the Host, and edits both heads', () => {
    const policy: Partial<RoutePolicy> = {
      rewrite: { kind: 'pattern', target: '/$1' },
      upstreamHost: 'in.$host',
      requestHeaders: { set: [['X-Forwarded-Prefix', '/a']], add: [], remove: [] },
      responseHeaders: { set: [], add: [], remove: ['server'] },
      cors,
      clientCertificate: ca,
    };
    const client = aClientCertificate('p1', 'SUCCESS');
    const table = aTable({ policy, kind: 'Regex', path: '/' });
    const decision = forwarded(
      decided(table, { client, fields: ['Origin', 'https://a.com'], target: '/x?y' }),
    );
    expect(decision).toMatchObject({
      target: '/?y',
      host: 'in.foo.com',
      requestEdits: {
        set: [
          ['X-Forwarded-Prefix', '/a'],
          ['ssl-client-verify', 'SUCCESS'],
          ...[expect.anything(), expect.anything()],
        ],
      },
      responseEdits: {
        set: [hsts, ['Access-Control-Allow-Origin', 'https://a.com']],
        add: [['Vary', 'Origin']],
        remove: ['server'],
      },
    });
  });

  it('a path that cannot be rewritten is refused', () => {
    const policy: Partial<RoutePolicy> = { rewrite: { kind: 'prefix', prefix: '/x', replacement: '/.' } };
    expect(statusOf(decided(aTable({ policy }), { target: '/x./b' }))).toBe(400);
  });

  it('another backend stands in where no endpoint is there', () => {
    const policy = { fallbackBackend: 'default/canary:80' };
    expect(forwarded(decided(aTable({ policy, endpoints: 0 }))).backend.key).toBe('default/canary:80');
    expect(forwarded(decided(aTable({ policy }))).backend.key).toBe('default/web:80');
  });

  it('hashes what the policy says', () => {
    const policy: Partial<RoutePolicy> = { balance: { kind: 'hash', by: '$host$uri' } };
    expect(forwarded(decided(aTable({ policy }), { target: '/a' })).hashText).toBe('foo.com/a');
  });

  it('a canary takes its part, with its own policy', () => {
    const when = { header: undefined, cookie: undefined, weight: 51, total: 100 };
    const canary = { source, when, policy: plainPolicy, backend: 'default/canary:80' };
    const table = aTable({ alternatives: [canary] });
    expect(forwarded(decided(table))).toMatchObject({
      alternative: canary,
      backend: { key: canary.backend },
    });
    const refused = { ...canary, policy: { ...plainPolicy, refusal: 'no' } };
    expect(statusOf(decided(aTable({ alternatives: [refused] })))).toBe(503);
    const less = aTable({ alternatives: [{ ...canary, when: { ...when, weight: 50 } }] });
    expect(forwarded(decided(less)).alternative).toBeUndefined();
  });

  it('a client stays with its endpoint, and with the canary that served it, whatever the weights are by then', () => {
    const affinity = {
      cookie: 'route',
      path: '/',
      domain: undefined,
      sameSite: undefined,
      conditionalSameSiteNone: false,
      secure: undefined,
      maxAgeSeconds: undefined,
      expiresSeconds: undefined,
      partitioned: false,
      changeOnFailure: false,
      canarySticky: true,
      mode: 'persistent',
    } as const;
    const policy = { ...plainPolicy, affinity };
    const tableOf = (weight: number): RoutingTable => {
      const when = { header: undefined, cookie: undefined, weight, total: 100 };
      return aTable({
        policy,
        endpoints: 9,
        alternatives: [{ source, when, policy, backend: 'default/canary:80' }],
      });
    };
    for (const [weight, key] of [
      [0, 'default/web:80'],
      [100, 'default/canary:80'],
    ] as const) {
      const first = forwarded(decided(tableOf(weight)));
      expect(first.backend.key).toBe(key);
      const cookie =
        first.responseEdits?.add.find(([name]) => name === 'Set-Cookie')?.[1].split(';')[0] ?? '';
      const again = forwarded(decided(tableOf(100 - weight), { fields: ['Cookie', cookie] }));
      expect(again).toMatchObject({ backend: { key }, pinned: first.pinned });
      expect(again.responseEdits?.add).toEqual([]);
    }
  });
});
