import { hashSync } from 'bcryptjs';
import { afterAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../api/meta.ts';
import { send, type TestRequest, type TestResponse } from './clients.testing.ts';
import { anIngress, aSecret, type PathSpec } from './compile/builders.testing.ts';
import { nginxPrefix } from './compile/nginx/annotation-row.ts';
import { loopbackService, startTestEdge } from './edge.testing.ts';
import { type SeenRequest, startUpstream, type TestUpstream, valuesOf } from './upstreams.testing.ts';

/** A name that an upstream says beside what it got, so that a test sees who answered. */
function named(name: string): Promise<TestUpstream> {
  return startUpstream((request, response) => {
    const { method = '', url = '', rawHeaders } = request;
    const status = Number(/status=(\d+)/.exec(url)?.[1] ?? 200);
    response.writeHead(status, { 'content-type': 'application/json', 'x-upstream': name });
    const seen: SeenRequest = { method, url, rawHeaders, body: '' };
    request.resume().on('end', () => response.end(JSON.stringify(seen)));
  });
}

/** Lets ann in, knows nobody else, and never bob. */
const authService = await startUpstream((request, response) => {
  const user = request.headers['x-who'];
  const status = user === 'ann' ? 200 : user === 'bob' ? 403 : 401;
  response.writeHead(status, { 'x-user': user ?? '', 'set-cookie': 'seen=1', 'x-asked': request.url ?? '' });
  response.end();
});
const upstreams = await Promise.all(['web', 'second', 'canary', 'pages'].map(named));
const [web = 0, second = 0, canary = 0, pages = 0] = upstreams.map(({ port }) => port);

function site(
  name: string,
  annotations: Readonly<Record<string, string>>,
  paths: readonly PathSpec[] = [['/', 'Prefix']],
  more: { host?: string; tls?: boolean } = {},
): KubeObject {
  const host = more.host ?? `${name}.com`;
  const prefixed = Object.entries(annotations).map(([key, value]) => [`${nginxPrefix}${key}`, value]);
  return anIngress({
    name,
    rules: { [host]: paths },
    annotations: Object.fromEntries(prefixed),
    ...(more.tls === true ? { tls: [{ hosts: [host] }] } : {}),
  });
}

const edge = await startTestEdge([
  ...loopbackService('web', web),
  ...loopbackService('two', web, second),
  ...loopbackService('canary', canary),
  ...loopbackService('pages', pages),
  ...loopbackService('gone'),
  ...loopbackService('nobody', 1),
  aSecret('users', { auth: `ann:${hashSync('secret', 4)}\n` }),
  site('ranges', { 'whitelist-source-range': '10.0.0.0/8' }),
  site('near', { 'whitelist-source-range': '127.0.0.0/8', 'denylist-source-range': '10.0.0.0/8' }),
  site('basic', { 'auth-type': 'basic', 'auth-secret': 'users', 'auth-realm': 'Staff' }),
  site('any', {
    'auth-type': 'basic',
    'auth-secret': 'users',
    satisfy: 'any',
    'allowlist-source-range': '127.0.0.1',
  }),
  site('external', {
    'auth-url': `http://127.0.0.1:${authService.port}/check`,
    'auth-signin': 'https://sign.in/start',
    'auth-response-headers': 'X-User',
  }),
  site('closed', { 'auth-url': 'http://169.254.169.254/' }),
  site('cors', { 'enable-cors': 'true', 'cors-allow-origin': 'https://app.com' }),
  site('moved', { 'permanent-redirect': 'https://new.com$request_uri', 'permanent-redirect-code': '308' }),
  site('root', { 'app-root': '/app' }),
  site('shop', { 'from-to-www-redirect': 'true', 'server-alias': 'alias.com' }),
  site('regex', { 'rewrite-target': '/$2', 'x-forwarded-prefix': '/api' }, [
    ['/api(/|$)(.*)', 'ImplementationSpecific'],
  ]),
  site('vhost', { 'upstream-vhost': 'inside.local' }),
  site('main', {}, [['/', 'Prefix']]),
  site(
    'canary',
    { canary: 'true', 'canary-by-header': 'X-Canary', 'canary-weight': '0' },
    [['/', 'Prefix', 'canary']],
    {
      host: 'main.com',
    },
  ),
  site('sticky', { affinity: 'cookie', 'session-cookie-name': 'route' }, [['/', 'Prefix', 'two']]),
  site('hashed', { 'upstream-hash-by': '$arg_key' }, [['/', 'Prefix', 'two']]),
  site('limited', { 'limit-rps': '1', 'limit-burst-multiplier': '1' }),
  site('small', { 'proxy-body-size': '10' }),
  site('errors', { 'custom-http-errors': '404,502', 'default-backend': 'pages' }),
  site('empty', { 'default-backend': 'pages' }, [['/', 'Prefix', 'gone']]),
  site('secure', {}, [['/', 'Prefix']], { tls: true }),
  site('broken', { 'enable-cors': 'true' }, [['/', 'Prefix', 'nobody']], { tls: true }),
  site('quiet', { 'enable-access-log': 'false' }),
  site('snippet', { 'server-snippet': 'deny all;' }),
]);
afterAll(async () => {
  await edge.edge.stop();
  await Promise.all([...upstreams, authService].map(one => one.close()));
});

function ask(host: string, options: Partial<TestRequest> = {}): Promise<TestResponse> {
  return send({ port: edge.httpPort, host, ...options });
}

const basic = (pair: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(pair).toString('base64')}`,
});

describe('annotations, served', () => {
  it.each<[host: string, options: Partial<TestRequest>, status: number]>([
    ['ranges.com', {}, 403],
    ['near.com', {}, 200],
    ['closed.com', {}, 503],
    ['snippet.com', {}, 503],
    ['small.com', { method: 'POST', body: 'ten bytes!' }, 200],
    ['small.com', { method: 'POST', body: 'eleven byte' }, 413],
    ['small.com', { method: 'POST', body: 'eleven byte', headers: { 'transfer-encoding': 'chunked' } }, 413],
    ['basic.com', {}, 401],
    ['basic.com', { headers: basic('ann:secret') }, 200],
    ['basic.com', { headers: basic('ann:guess') }, 401],
    ['any.com', {}, 200],
    ['external.com', { headers: { 'x-who': 'ann' } }, 200],
    ['external.com', { headers: { 'x-who': 'bob' } }, 403],
    ['external.com', {}, 302],
  ])('%s %j: %d', async (host, options, status) => {
    expect((await ask(host, options)).status).toBe(status);
  });

  it('a password is asked for in the name of the realm', async () => {
    const { headers } = await ask('basic.com');
    expect(headers['www-authenticate']).toBe('Basic realm="Staff", charset="UTF-8"');
  });

  it('another service says who it is, whatever the client says, and gives its cookie', async () => {
    const answer = await ask('external.com', { headers: { 'x-who': 'ann', 'x-user': 'root' } });
    expect(valuesOf(answer.seen().rawHeaders, 'x-user')).toEqual(['ann']);
    expect(answer.headers['set-cookie']).toEqual(['seen=1']);
    const { headers } = await ask('external.com', { path: '/a?b=c' });
    expect(headers.location).toBe('https://sign.in/start?rd=http://external.com%2Fa%3Fb%3Dc');
  });

  it('preflights are answered, and answers say who may read them', async () => {
    const asked = { origin: 'https://app.com', 'access-control-request-method': 'PUT' };
    const preflight = await ask('cors.com', { method: 'OPTIONS', headers: asked });
    expect(preflight.status).toBe(204);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': 'https://app.com',
      vary: 'Origin',
    });
    const { headers } = await ask('cors.com', { headers: { origin: 'https://app.com' } });
    expect(headers['access-control-allow-origin']).toBe('https://app.com');
    const stranger = await ask('cors.com', { headers: { origin: 'https://evil.com' } });
    expect(stranger.headers['access-control-allow-origin']).toBeUndefined();
  });

  it.each([
    ['moved.com', '/a?b', 308, 'https://new.com/a?b'],
    ['root.com', '/', 302, '/app'],
    ['www.shop.com', '/a?b', 308, 'http://shop.com'],
  ])('%s%s is sent elsewhere', async (host, path, status, location) => {
    const answer = await ask(host, { path });
    expect(answer.status).toBe(status);
    expect(answer.headers.location).toContain(location);
  });

  it('an alias is served as its host is', async () => {
    expect((await ask('alias.com')).status).toBe(200);
  });

  it('paths are rewritten, with what was before told', async () => {
    const seen = (await ask('regex.com', { path: '/API/users/7?x=1' })).seen();
    expect(seen.url).toBe('/users/7?x=1');
    expect(valuesOf(seen.rawHeaders, 'x-forwarded-prefix')).toEqual(['/api']);
    expect((await ask('regex.com', { path: '/apis' })).status).toBe(404);
  });

  it('the Host is another one', async () => {
    expect(valuesOf((await ask('vhost.com')).seen().rawHeaders, 'host')).toEqual(['inside.local']);
  });

  it('a canary takes what asks for it', async () => {
    expect((await ask('main.com')).headers['x-upstream']).toBe('web');
    const answer = await ask('main.com', { headers: { 'x-canary': 'always' } });
    expect(answer.headers['x-upstream']).toBe('canary');
  });

  it('a client stays with its endpoint', async () => {
    const first = await ask('sticky.com');
    const cookie = first.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    expect(cookie).toMatch(/^route=/);
    for (let count = 0; count < 6; count += 1) {
      const again = await ask('sticky.com', { headers: { cookie } });
      expect(again.headers['x-upstream']).toBe(first.headers['x-upstream']);
      expect(again.headers['set-cookie']).toBeUndefined();
    }
  });

  it('equal keys go to the same endpoint, and others to others', async () => {
    const served = async (key: number): Promise<unknown> =>
      (await ask('hashed.com', { path: `/?key=${key}` })).headers['x-upstream'];
    expect(await served(1)).toBe(await served(1));
    const keys = Array.from({ length: 20 }, (_, at) => at);
    expect(new Set(await Promise.all(keys.map(served))).size).toBe(2);
  });

  it('who asks too often has to wait', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask('limited.com')));
    const statuses = answers.map(({ status }) => status);
    expect(statuses).toContain(200);
    expect(statuses).toContain(503);
  });

  it('errors get the pages of another Service, with their own status', async () => {
    const answer = await ask('errors.com', { path: '/a?status=404' });
    expect(answer.status).toBe(404);
    expect(answer.headers['x-upstream']).toBe('pages');
    expect(valuesOf(answer.seen().rawHeaders, 'x-code')).toEqual(['404']);
    expect((await ask('errors.com', { path: '/?status=500' })).headers['x-upstream']).toBe('web');
  });

  it('requests that find no endpoint go to the default backend', async () => {
    expect((await ask('empty.com')).headers['x-upstream']).toBe('pages');
  });

  it('sites with TLS are told to come by HTTPS, and others are not', async () => {
    expect((await ask('secure.com')).status).toBe(308);
    const over = (host: string): Promise<TestResponse> => send({ port: edge.httpsPort, host, tls: {} });
    const answer = await over('secure.com');
    expect(answer.headers['strict-transport-security']).toBe('max-age=31536000; includeSubDomains');
    expect((await over('main.com')).headers['strict-transport-security']).toBeUndefined();
  });

  it('errors of the edge keep what browsers are to know', async () => {
    const answer = await send({
      port: edge.httpsPort,
      host: 'broken.com',
      tls: {},
      headers: { origin: 'https://app.com' },
    });
    expect(answer.status).toBe(502);
    expect(answer.headers['strict-transport-security']).toBeDefined();
    expect(answer.headers['access-control-allow-origin']).toBe('*');
  });

  it('each annotation that closes an Ingress is told on it', () => {
    expect(edge.events.filter(event => /^(?:closed|snippet) /.test(event))).toEqual([
      expect.stringContaining('closed AnnotationInvalid: '),
      expect.stringContaining('snippet AnnotationUnsupported: '),
    ]);
  });
});
