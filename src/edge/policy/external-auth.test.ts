import { describe, expect, it } from 'vitest';
import type { Route } from '../compile/table.ts';
import { headerFieldsOf } from '../exchange/header-fields.ts';
import { AddressRanges } from './address-ranges.ts';
import type { ForwardDecision } from './decision.ts';
import { errorPageFields, wantsErrorPage } from './error-pages.ts';
import { type AuthAnswer, afterAuth, authRequest, responseEditsOf } from './external-auth.ts';
import { aHead, type HeadOptions } from './heads.testing.ts';
import { type ExternalAuth, plainPolicy } from './route-policy.ts';

const trusted = new AddressRanges([]);
const auth: ExternalAuth = {
  url: 'http://auth.default.svc:8080/check?a=b',
  method: undefined,
  signIn: undefined,
  signInRedirectParameter: 'rd',
  responseHeaders: ['x-user', 'x-groups'],
  alwaysSetCookie: false,
  requestRedirect: undefined,
  timeoutMs: 1_000,
};

const route: Route = {
  source: { kind: 'Ingress', namespace: 'default', name: 'site' },
  host: 'foo.com',
  path: '/',
  kind: 'Prefix',
  policy: { ...plainPolicy, externalAuth: auth },
  backend: 'default/web:80',
  alternatives: [],
};

const surroundings = { routeHost: 'foo.com', trusted, standalone: false, requestEdits: undefined };

function asked(parts: Partial<ExternalAuth>, options: HeadOptions = {}, around = {}) {
  return authRequest({ ...auth, ...parts }, aHead(options), { ...surroundings, ...around });
}

function fieldsOf(request: ReturnType<typeof asked>): Record<string, string> {
  if ('error' in request) throw new Error(request.error);
  const { fields } = request;
  const pairs = fields.flatMap((name, at) =>
    at % 2 === 0 ? [[name.toLowerCase(), fields[at + 1] ?? '']] : [],
  );
  return Object.fromEntries(pairs);
}

describe('the question for another service', () => {
  it('is a GET without a body, with the fields of the client and of the edge', () => {
    const options: HeadOptions = {
      method: 'POST',
      target: '/a?b=c',
      contentLength: 5,
      fields: [
        'Cookie',
        'sid=1',
        'Content-Length',
        '5',
        'X-Forwarded-For',
        '1.1.1.1',
        'X-Original-URL',
        'evil',
        'Connection',
        'close',
        'X_User',
        'root',
        'SSL-Client-Verify',
        'SUCCESS',
      ],
    };
    const request = asked({}, options, {
      requestEdits: {
        set: [
          ['ssl-client-verify', 'NONE'],
          ['X-Forwarded-Prefix', '/a'],
        ],
        add: [],
        remove: [],
      },
    });
    expect(request).toMatchObject({
      scheme: 'http',
      host: 'auth.default.svc',
      port: 8080,
      authority: 'auth.default.svc:8080',
      method: 'GET',
      target: '/check?a=b',
      timeoutMs: 1_000,
    });
    expect(fieldsOf(request)).toEqual({
      cookie: 'sid=1',
      'x-real-ip': '192.0.2.1',
      'x-forwarded-for': '192.0.2.1',
      'x-forwarded-host': 'foo.com',
      'x-forwarded-port': '443',
      'x-forwarded-proto': 'https',
      'x-forwarded-scheme': 'https',
      'x-original-url': 'https://foo.com/a?b=c',
      'x-original-method': 'POST',
      'x-auth-request-redirect': '/a?b=c',
      'x-postern-auth-hops': '1',
      'ssl-client-verify': 'NONE',
    });
  });

  it('goes by the host of the request where the rule has one', () => {
    const parts = {
      url: 'https://$host/oauth2/auth',
      method: 'HEAD',
      requestRedirect: 'https://$http_host$uri',
    };
    expect(asked(parts, { target: '/a?b' })).toMatchObject({
      scheme: 'https',
      host: 'foo.com',
      port: 443,
      method: 'HEAD',
    });
    expect(fieldsOf(asked(parts, { target: '/a?b' }))['x-auth-request-redirect']).toBe('https://foo.com/a');
    expect(asked(parts, {}, { routeHost: '' })).toHaveProperty('error');
  });

  it.each([
    ['http://127.0.0.1/', {}],
    ['http://[::1]:80/', {}],
    ['http://localhost/', {}],
    ['http://169.254.169.254/latest', { standalone: true }],
    ['http://$host/', { host: '127.0.0.1' }],
    ['ftp://auth/', {}],
  ])('%s is not asked %j', (url, around: { standalone?: boolean; host?: string }) => {
    const { host = 'foo.com', ...rest } = around;
    expect(asked({ url }, { host }, rest)).toHaveProperty('error');
  });

  it.each([
    ['2', { 'x-postern-auth-hops': '3' }],
    ['3', undefined],
    ['many', undefined],
    ['', undefined],
  ])('asks no more where it is itself asked in a circle: %j', (hops, expected) => {
    const request = asked({}, { fields: ['X-Postern-Auth-Hops', hops] });
    if (expected === undefined) expect(request).toHaveProperty('error');
    else expect(fieldsOf(request)).toMatchObject(expected);
    expect(asked({}, { fields: ['X-Postern-Auth-Hops', '1', 'X-Postern-Auth-Hops', '1'] })).toHaveProperty(
      'error',
    );
  });

  it('loopback is asked in standalone mode', () => {
    expect(asked({ url: 'http://127.0.0.1:4180/' }, {}, { standalone: true })).toMatchObject({ port: 4180 });
  });
});

const decision: ForwardDecision = {
  kind: 'forward',
  route,
  policy: route.policy,
  alternative: undefined,
  backend: { kind: 'endpoints', key: 'default/web:80', endpoints: [], protocol: 'http1', tls: undefined },
  target: '/',
  host: 'foo.com',
  requestEdits: undefined,
  responseEdits: { set: [['Strict-Transport-Security', 'max-age=1']], add: [], remove: [] },
  auth,
  pinned: undefined,
  hashText: undefined,
  bodyLimit: 1,
  authCookies: [],
  release: undefined,
};

function after(answer: { status: number; fields?: string[] } | undefined, parts: Partial<ExternalAuth> = {}) {
  const given: AuthAnswer | undefined = answer && {
    status: answer.status,
    fields: headerFieldsOf(answer.fields ?? []),
  };
  return afterAuth({ ...auth, ...parts }, decision, aHead({ target: '/a?b=c' }), trusted, given);
}

describe('after its answer', () => {
  it('2xx lets pass, with its fields, and without those that it does not have', () => {
    expect(after({ status: 202, fields: ['X-User', 'ann', 'X-Other', '1'] })).toMatchObject({
      kind: 'forward',
      auth: undefined,
      requestEdits: { set: [['x-user', 'ann']], add: [], remove: ['x-groups'] },
    });
  });

  it.each([
    [401, 401],
    [403, 403],
    [500, 500],
    [302, 500],
    [404, 500],
    [100, 500],
  ])('%d is answered with %d', (status, expected) => {
    expect(after({ status })).toMatchObject({
      kind: 'answer',
      status: expected,
      fields: ['Strict-Transport-Security', 'max-age=1'],
    });
  });

  it('no answer is 500', () => {
    expect(after(undefined)).toMatchObject({ kind: 'answer', status: 500 });
  });

  it('401 passes on how to ask again, or sends to the sign-in, with cookies', () => {
    const fields = ['WWW-Authenticate', 'Bearer', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'];
    expect(after({ status: 401, fields })).toMatchObject({
      fields: [
        'WWW-Authenticate',
        'Bearer',
        'Set-Cookie',
        'a=1',
        'Set-Cookie',
        'b=2',
        'Strict-Transport-Security',
        'max-age=1',
      ],
    });
    const signIn = 'https://sign.in/?rd=$pass_access_scheme://$http_host$escaped_request_uri';
    expect(after({ status: 401, fields }, { signIn })).toMatchObject({
      status: 302,
      fields: [
        'Location',
        'https://sign.in/?rd=https://foo.com%2Fa%3Fb%3Dc',
        'Set-Cookie',
        'a=1',
        'Set-Cookie',
        'b=2',
        'Strict-Transport-Security',
        'max-age=1',
      ],
    });
  });

  it('cookies go to the client with a good answer, or always', () => {
    const passed = after({ status: 200, fields: ['Set-Cookie', 'a=1'] });
    if (passed.kind !== 'forward') throw new Error('not forwarded');
    const cookies = (status: number, always: boolean): number => {
      const policy = { ...plainPolicy, externalAuth: { ...auth, alwaysSetCookie: always } };
      return responseEditsOf({ ...passed, policy }, status)?.add.length ?? 0;
    };
    expect([cookies(200, false), cookies(302, false), cookies(404, false), cookies(404, true)]).toEqual([
      1, 1, 0, 1,
    ]);
    expect(responseEditsOf(decision, 200)).toBe(decision.responseEdits);
  });
});

describe('error pages', () => {
  it('are for the statuses of the policy', () => {
    const policy = { ...plainPolicy, errorPages: { statuses: [404], backend: 'x' } };
    expect([
      wantsErrorPage(policy, 404),
      wantsErrorPage(policy, 500),
      wantsErrorPage(plainPolicy, 404),
    ]).toEqual([true, false, false]);
  });

  it('are asked for with what was asked', () => {
    const head = aHead({ target: '/a?b', fields: ['Accept', 'text/html', 'X-Request-ID', '7'] });
    expect(errorPageFields(404, head, route, { name: 'web', port: '80' })).toEqual([
      'X-Code',
      '404',
      'X-Format',
      'text/html',
      'X-Original-URI',
      '/a?b',
      'X-Namespace',
      'default',
      'X-Ingress-Name',
      'site',
      'X-Service-Name',
      'web',
      'X-Service-Port',
      '80',
      'X-Request-ID',
      '7',
    ]);
  });
});
