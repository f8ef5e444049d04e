import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../api/meta.ts';
import { send, sendRaw } from '../clients.testing.ts';
import { anIngress, aSlice, type IngressOptions } from '../compile/builders.testing.ts';
import { loopbackService, startTestEdge, type TestEdge } from '../edge.testing.ts';
import type { EdgeConfig } from '../options.ts';
import { startUpstream, type TestUpstream, valuesOf } from '../upstreams.testing.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(one => one.close()));
});

async function upstream(...args: Parameters<typeof startUpstream>): Promise<TestUpstream> {
  const started = await startUpstream(...args);
  open.push(started);
  return started;
}

async function edgeWith(objects: KubeObject[], config?: EdgeConfig): Promise<TestEdge> {
  const started = await startTestEdge(objects, config);
  open.push({ close: () => started.edge.stop() });
  return started;
}

/** An edge with one Ingress for foo.com, all of whose paths lead to an upstream that reports what it got. */
async function reportingEdge(options: IngressOptions = {}, config?: EdgeConfig): Promise<TestEdge> {
  const { port } = await upstream();
  const ingress = anIngress({ rules: { 'foo.com': [['/', 'Prefix']] }, ...options });
  return edgeWith([ingress, ...loopbackService('web', port)], config);
}

/** A port on loopback on which nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}

describe('forwarding', () => {
  it('passes method, path, query and body on, and the answer back', async () => {
    const { httpPort } = await reportingEdge();
    const headers = { 'content-type': 'text/plain' };
    const answer = await send({ port: httpPort, method: 'POST', path: '/a/b?c=d&e', headers, body: 'hello' });
    expect(answer.status).toBe(200);
    expect(answer.seen()).toMatchObject({ method: 'POST', url: '/a/b?c=d&e', body: 'hello' });
  });

  it('forwards the canonical path that was routed by', async () => {
    const { httpPort } = await reportingEdge();
    const raw = await sendRaw(
      httpPort,
      'GET /a/%2e%2e/%66oo/./x?q=%2e HTTP/1.1\r\nHost: foo.com\r\nConnection: close\r\n\r\n',
    );
    expect(raw).toContain('"url":"/foo/x?q=%2e"');
  });

  it('says who the client is, and does not take its word for it', async () => {
    const { httpPort } = await reportingEdge({}, { httpPublicPort: 8080 });
    const lies = {
      'x-forwarded-for': '1.2.3.4',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'evil.com',
      'x-forwarded-port': '1',
      'x-forwarded-prefix': '/admin',
      'x-real-ip': '1.2.3.4',
      forwarded: 'for=1.2.3.4',
      'ssl-client-verify': 'SUCCESS',
      'x-original-url': '/admin',
      'x-original-uri': '/admin',
      'x-rewrite-url': '/admin',
      'x-original-method': 'GET',
      'x-original-host': 'evil.com',
      'x-original-forwarded-for': '1.2.3.4',
      'x-auth-request-redirect': '/admin',
      x_real_ip: '1.2.3.4',
      proxy: 'http://evil.com',
    };
    const { rawHeaders } = (await send({ port: httpPort, host: 'foo.com:8080', headers: lies })).seen();
    const edgeSays = Object.keys(lies).map(name => [name, valuesOf(rawHeaders, name)]);
    expect(Object.fromEntries(edgeSays)).toEqual({
      'x-forwarded-for': ['127.0.0.1'],
      'x-forwarded-proto': ['http'],
      'x-forwarded-host': ['foo.com:8080'],
      'x-forwarded-port': ['8080'],
      'x-forwarded-prefix': [],
      'x-real-ip': ['127.0.0.1'],
      forwarded: ['for=127.0.0.1;host="foo.com:8080";proto=http'],
      'ssl-client-verify': [],
      'x-original-url': [],
      'x-original-uri': [],
      'x-rewrite-url': [],
      'x-original-method': [],
      'x-original-host': [],
      'x-original-forwarded-for': [],
      'x-auth-request-redirect': [],
      x_real_ip: [],
      proxy: [],
    });
    expect(valuesOf(rawHeaders, 'host')).toEqual(['foo.com:8080']);
  });

  it('says of each request of a connection which host that one is for', async () => {
    const { httpPort } = await reportingEdge();
    const get = (host: string, more = ''): string => `GET / HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`;
    const hosts = ['foo.com', 'FOO.com:8080', 'foo.com', 'foo.com.'];
    const raw = await sendRaw(
      httpPort,
      hosts.map((host, at) => get(host, at === hosts.length - 1 ? 'Connection: close\r\n' : '')).join(''),
    );
    const said = [...raw.matchAll(/"X-Forwarded-Host","([^"]*)"/g)].map(([, host]) => host);
    expect(said).toEqual(hosts);
    const forwarded = [...raw.matchAll(/"Forwarded","for=127\.0\.0\.1;host=(.*?);proto=http"/g)];
    expect(forwarded.map(([, host]) => host?.replaceAll(/[\\"]/g, ''))).toEqual(hosts);
  });

  it('takes out hop-by-hop fields and what Connection lists, and nothing that the edge sets', async () => {
    const { httpPort } = await reportingEdge();
    const headers = {
      connection: 'keep-alive, X-Secret, X-Forwarded-For, X-Real-IP, Host',
      'x-secret': '1',
      'x-kept': '2',
      te: 'trailers',
      'proxy-authorization': 'x',
      'keep-alive': 'timeout=5',
    };
    const { rawHeaders } = (await send({ port: httpPort, headers })).seen();
    const names = [
      'x-secret',
      'x-kept',
      'te',
      'proxy-authorization',
      'keep-alive',
      'x-forwarded-for',
      'x-real-ip',
      'host',
    ];
    expect(names.map(name => valuesOf(rawHeaders, name))).toEqual([
      [],
      ['2'],
      [],
      [],
      [],
      ['127.0.0.1'],
      ['127.0.0.1'],
      ['foo.com'],
    ]);
  });

  it.each(['Upgrade, HTTP2-Settings', 'keep-alive'])(
    'answers as it was asked where HTTP/2 is offered, and passes no offer on: Connection: %s',
    async connection => {
      const { httpPort } = await reportingEdge();
      const headers = { connection, upgrade: 'h2c', 'http2-settings': 'AAMAAABkAARAAAAAAAIAAAAA' };
      const answer = await send({ port: httpPort, method: 'POST', body: 'all of it', headers });
      const { body, rawHeaders } = answer.seen();
      expect([answer.status, body, valuesOf(rawHeaders, 'upgrade')]).toEqual([200, 'all of it', []]);
      if (connection !== 'keep-alive') expect(valuesOf(rawHeaders, 'http2-settings')).toEqual([]);
    },
  );

  it('keeps repeated fields of the answer apart, and its status', async () => {
    const { port } = await upstream((_request, response) => {
      response.writeHead(418, 'Short and stout', [
        'Set-Cookie',
        'a=1',
        'Set-Cookie',
        'b=2',
        'Connection',
        'X-Hop',
        'X-Hop',
        '1',
        'X-End',
        '2',
      ]);
      response.end('tea');
    });
    const { httpPort } = await edgeWith([
      anIngress({ rules: { 'foo.com': [['/', 'Prefix']] } }),
      ...loopbackService('web', port),
    ]);
    const answer = await send({ port: httpPort });
    expect(answer).toMatchObject({
      status: 418,
      body: 'tea',
      headers: { 'set-cookie': ['a=1', 'b=2'], 'x-end': '2' },
    });
    expect(answer.headers['x-hop']).toBeUndefined();
  });

  it.each(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'PUT', 'POST', 'PATCH'])(
    '%s without a body has none at the upstream',
    async method => {
      let seen: [string | undefined, string | undefined, string] | undefined;
      const { port } = await upstream((request, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          const { headers } = request;
          seen = [headers['transfer-encoding'], headers['content-length'], Buffer.concat(chunks).toString()];
          response.writeHead(204).end();
        });
      });
      const { httpPort } = await edgeWith([
        anIngress({ rules: { 'foo.com': [['/', 'Prefix']] } }),
        ...loopbackService('web', port),
      ]);
      const raw = await sendRaw(
        httpPort,
        `${method} / HTTP/1.1\r\nHost: foo.com\r\nConnection: close\r\n\r\n`,
      );
      expect(raw).toMatch(/^HTTP\/1\.1 204 /);
      expect(seen).toEqual([undefined, ['PUT', 'POST', 'PATCH'].includes(method) ? '0' : undefined, '']);
    },
  );

  it.each(['GET', 'POST'])('a chunked body of a %s arrives whole', async method => {
    const { httpPort } = await reportingEdge();
    const head = `${method} / HTTP/1.1\r\nHost: foo.com\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n`;
    expect(await sendRaw(httpPort, `${head}5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n`)).toContain(
      '"body":"hello world"',
    );
  });

  it('100 Continue comes when the upstream stands, and is not passed on', async () => {
    const { httpPort } = await reportingEdge();
    const head =
      'POST / HTTP/1.1\r\nHost: foo.com\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n';
    const raw = await sendRaw(httpPort, `${head}hi`);
    expect(raw).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
    expect(raw).not.toContain('100-continue');
  });
});

describe('answers of the edge itself', () => {
  it('404 without a route, 503 without endpoints, and nothing of why', async () => {
    const ingress = anIngress({ rules: { 'foo.com': [['/none', 'Prefix', 'none']] } });
    const { httpPort, events } = await edgeWith([ingress]);
    expect(await send({ port: httpPort, host: 'bar.com' })).toMatchObject({
      status: 404,
      body: '404 Not Found\n',
    });
    expect(await send({ port: httpPort, path: '/none' })).toMatchObject({
      status: 503,
      body: '503 Service Unavailable\n',
    });
    await expect.poll(() => events).toEqual([expect.stringContaining('site ServiceNotFound: ')]);
  });

  it('502 where nothing listens', async () => {
    const { httpPort, logs } = await edgeWith([
      anIngress({ rules: { 'foo.com': [['/', 'Prefix']] } }),
      ...loopbackService('web', await closedPort()),
    ]);
    expect((await send({ port: httpPort })).status).toBe(502);
    expect(logs.filter(({ level }) => level === 'warn').map(({ fields }) => fields?.['code'])).toEqual([
      'ECONNREFUSED',
    ]);
  });

  it('504 where the upstream is silent', async () => {
    const { port } = await upstream(() => {});
    const { httpPort } = await edgeWith(
      [anIngress({ rules: { 'foo.com': [['/', 'Prefix']] } }), ...loopbackService('web', port)],
      { timeouts: { idleMs: 100 } },
    );
    expect((await send({ port: httpPort })).status).toBe(504);
  });

  it('408 where the client is silent', async () => {
    const { httpPort } = await reportingEdge({}, { timeouts: { idleMs: 100 } });
    const raw = await sendRaw(httpPort, 'POST / HTTP/1.1\r\nHost: foo.com\r\nContent-Length: 10\r\n\r\nhalf');
    expect(raw).toMatch(/^HTTP\/1\.1 408 /);
  });

  it.each([
    ['closes at once', (socket: { destroy(): void; end(text: string): void }) => socket.destroy()],
    [
      'answers nonsense',
      (socket: { destroy(): void; end(text: string): void }) => socket.end('nonsense\r\n\r\n'),
    ],
    [
      'answers two lengths',
      (socket: { destroy(): void; end(text: string): void }) =>
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx'),
    ],
    [
      'changes protocols unasked',
      (socket: { destroy(): void; end(text: string): void }) =>
        socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
    ],
  ])('502 where the upstream %s', async (_what, misbehave) => {
    const server = createServer(socket => socket.once('data', () => misbehave(socket)).on('error', () => {}));
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    open.push({ close: () => new Promise(resolve => server.close(() => resolve())) });
    const { port } = server.address() as AddressInfo;
    const { httpPort } = await edgeWith([
      anIngress({ rules: { 'foo.com': [['/', 'Prefix']] } }),
      ...loopbackService('web', port),
    ]);
    expect((await send({ port: httpPort, method: 'POST', body: 'x' })).status).toBe(502);
  });

  it('an answer that breaks off is broken off for the client', async () => {
    const { port } = await upstream((_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half');
      setImmediate(() => response.destroy());
    });
    const { httpPort } = await edgeWith([
      anIngress({ rules: { 'foo.com': [['/', 'Prefix']] } }),
      ...loopbackService('web', port),
    ]);
    await expect(send({ port: httpPort })).rejects.toThrow('aborted');
  });
});

describe('trying again', () => {
  it('goes to the next endpoint where a connection is refused, with the body whole', async () => {
    const { port } = await upstream();
    const dead = await closedPort();
    const { httpPort } = await edgeWith([
      anIngress({ rules: { 'foo.com': [['/', 'Prefix']] } }),
      ...loopbackService('web', dead, port),
    ]);
    for (let round = 0; round < 4; round += 1) {
      const answer = await send({ port: httpPort, method: 'POST', body: 'payload' });
      expect(answer.seen().body).toBe('payload');
    }
  });

  it('a request that an upstream has got is not sent again', async () => {
    let got = 0;
    const { port } = await upstream(request => {
      got += 1;
      request.socket.destroy();
    });
    const second = await upstream((_request, response) => {
      got += 1;
      response.end();
    });
    const ingress = anIngress({ rules: { 'foo.com': [['/', 'Prefix']] } });
    const { httpPort } = await edgeWith([ingress, ...loopbackService('web', port, second.port)]);
    const statuses = await Promise.all(
      [0, 1].map(() => send({ port: httpPort, method: 'POST', body: 'x' }).then(({ status }) => status)),
    );
    expect(new Set(statuses)).toEqual(new Set([200, 502]));
    expect(got).toBe(2);
  });

  it.each([
    ['GET', undefined, 200],
    ['POST', undefined, 502],
    ['GET', 'x', 502],
  ])(
    'a kept connection that turns out to be closed: %s with body %s ends in %i',
    async (method, body, expected) => {
      // Each connection takes one request and breaks with the second.
      const server = createServer(socket => {
        socket.on('error', () => {});
        socket.once('data', () => {
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
          socket.once('data', () => socket.resetAndDestroy());
        });
      });
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
      open.push({ close: () => new Promise(resolve => server.close(() => resolve())) });
      const { port } = server.address() as AddressInfo;
      const ingress = anIngress({ rules: { 'foo.com': [['/', 'Prefix']] } });
      const { httpPort } = await edgeWith([ingress, ...loopbackService('web', port)]);
      expect((await send({ port: httpPort })).status).toBe(200);
      const headers = body === undefined ? {} : { 'content-length': String(body.length) };
      expect((await send({ port: httpPort, method, body, headers })).status).toBe(expected);
    },
  );

  it('takes the endpoints in turn', async () => {
    const names = ['a', 'b', 'c'];
    const ports = await Promise.all(
      names.map(name => upstream((_request, response) => response.end(name)).then(({ port }) => port)),
    );
    const { httpPort } = await edgeWith([
      anIngress({ rules: { 'foo.com': [['/', 'Prefix']] } }),
      ...loopbackService('web', ...ports),
    ]);
    const counts = new Map<string, number>();
    for (let round = 0; round < 9; round += 1) {
      const { body } = await send({ port: httpPort });
      counts.set(body, (counts.get(body) ?? 0) + 1);
    }
    expect([...counts.values()]).toEqual([3, 3, 3]);
  });
});

describe('redirects to HTTPS', () => {
  const tls = [{ hosts: ['foo.com'], secretName: 's' }];
  const statusAndPlace = async (
    edge: TestEdge,
    path: string,
    host = 'foo.com',
  ): Promise<[number, string | undefined]> => {
    const { status, headers } = await send({ port: edge.httpPort, host, path });
    return [status, headers.location];
  };

  it('308 where the host has TLS, to the same place', async () => {
    const edge = await reportingEdge({ tls });
    expect(await statusAndPlace(edge, '/a?b=c', 'FOO.com:80')).toEqual([308, 'https://foo.com/a?b=c']);
  });

  it('to the port that clients know', async () => {
    const edge = await reportingEdge({ tls }, { httpsRedirectPort: 8443 });
    expect(await statusAndPlace(edge, '/')).toEqual([308, 'https://foo.com:8443/']);
  });

  it('not over HTTPS, not without TLS, not where it is switched off', async () => {
    const plain = await reportingEdge();
    expect((await statusAndPlace(plain, '/'))[0]).toBe(200);
    const off = await reportingEdge({
      tls,
      annotations: { 'nginx.ingress.kubernetes.io/ssl-redirect': 'false' },
    });
    expect((await statusAndPlace(off, '/'))[0]).toBe(200);
    const secure = await reportingEdge({ tls });
    expect((await send({ port: secure.httpsPort, tls: {} })).seen().rawHeaders).toContain('https');
  });

  it('also without TLS where it is forced', async () => {
    const edge = await reportingEdge({
      annotations: { 'nginx.ingress.kubernetes.io/force-ssl-redirect': 'true' },
    });
    expect((await statusAndPlace(edge, '/'))[0]).toBe(308);
  });

  it.each([
    ['HTTP/1.0', 'GET /secret HTTP/1.0\r\n\r\n'],
    ['an empty Host', 'GET /secret HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n'],
  ])('where no host is named it is refused, as nobody can be sent there: %s', async (_what, bytes) => {
    const edge = await reportingEdge({
      rules: { '': [['/', 'Prefix']] },
      annotations: { 'nginx.ingress.kubernetes.io/force-ssl-redirect': 'true' },
    });
    expect(await sendRaw(edge.httpPort, bytes)).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('by wildcard, and for every rule of a TLS entry without hosts', async () => {
    const wild = await reportingEdge({
      rules: { 'b.foo.com': [['/', 'Prefix']] },
      tls: [{ hosts: ['*.foo.com'] }],
    });
    expect((await statusAndPlace(wild, '/', 'b.foo.com'))[0]).toBe(308);
    const all = await reportingEdge({ rules: { '': [['/', 'Prefix']] }, tls: [{ secretName: 's' }] });
    expect(await statusAndPlace(all, '/', '127.0.0.1')).toEqual([308, 'https://127.0.0.1/']);
  });

  it("never for ACME's path: a solver's Ingress beside the site's answers in plain HTTP", async () => {
    const site = await upstream();
    const solver = await upstream((_request, response) => response.end('key-authorization'));
    const challenge = anIngress({
      name: 'solver',
      rules: { 'foo.com': [['/.well-known/acme-challenge/t', 'Exact', 'solver']] },
    });
    const edge = await edgeWith([
      anIngress({ rules: { 'foo.com': [['/', 'Prefix']] }, tls }),
      challenge,
      ...loopbackService('web', site.port),
      ...loopbackService('solver', solver.port),
    ]);
    expect(await send({ port: edge.httpPort, path: '/.well-known/acme-challenge/t' })).toMatchObject({
      status: 200,
      body: 'key-authorization',
    });
    expect((await send({ port: edge.httpPort, path: '/.well-known/acme-challenge/other' })).status).toBe(200);
    expect((await send({ port: edge.httpPort, path: '/x/../.well-known/acme-challenge-no' })).status).toBe(
      308,
    );
  });
});

describe('requests that could be read in two ways', () => {
  const refused: [what: string, bytes: string, status: number][] = [
    ['two Host fields', 'GET / HTTP/1.1\r\nHost: foo.com\r\nHost: bar.com\r\n\r\n', 400],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['a Host with a blank and user information', 'GET / HTTP/1.1\r\nHost: a b@foo.com\r\n\r\n', 400],
    ['a Host with a path', 'GET / HTTP/1.1\r\nHost: foo.com/x\r\n\r\n', 400],
    ['an absolute target with another Host', 'GET http://bar.com/ HTTP/1.1\r\nHost: foo.com\r\n\r\n', 400],
    [
      'Content-Length with Transfer-Encoding',
      'POST / HTTP/1.1\r\nHost: foo.com\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    [
      'two Content-Lengths',
      'POST / HTTP/1.1\r\nHost: foo.com\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n',
      400,
    ],
    [
      'Transfer-Encoding in HTTP/1.0',
      'POST / HTTP/1.0\r\nHost: foo.com\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    [
      'gzip, chunked',
      'POST / HTTP/1.1\r\nHost: foo.com\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
      501,
    ],
    [
      'two Transfer-Encodings',
      'POST / HTTP/1.1\r\nHost: foo.com\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['HTTP/2.0 in a request line', 'GET / HTTP/2.0\r\nHost: foo.com\r\n\r\n', 505],
    ['CONNECT', 'CONNECT foo.com:443 HTTP/1.1\r\nHost: foo.com\r\n\r\n', 405],
    ['TRACE', 'TRACE / HTTP/1.1\r\nHost: foo.com\r\n\r\n', 405],
    [
      'an Upgrade with a body',
      'GET / HTTP/1.1\r\nHost: foo.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\nabc',
      400,
    ],
    ['a path above the root', 'GET /a/../../etc HTTP/1.1\r\nHost: foo.com\r\n\r\n', 400],
    ['the same, encoded', 'GET /%2e%2e/etc HTTP/1.1\r\nHost: foo.com\r\n\r\n', 400],
    ['a backslash', 'GET /\\@evil HTTP/1.1\r\nHost: foo.com\r\n\r\n', 400],
    ['a fragment', 'GET /a#b HTTP/1.1\r\nHost: foo.com\r\n\r\n', 400],
    ['an asterisk', 'OPTIONS * HTTP/1.1\r\nHost: foo.com\r\n\r\n', 400],
    ['obsolete line folding', 'GET / HTTP/1.1\r\nHost: foo.com\r\nX: a\r\n b\r\n\r\n', 400],
    ['a space before the colon', 'GET / HTTP/1.1\r\nHost: foo.com\r\nX : a\r\n\r\n', 400],
    ['a bare line feed', 'GET / HTTP/1.1\nHost: foo.com\n\n', 400],
    ['too many fields', `GET / HTTP/1.1\r\nHost: foo.com\r\n${'X: a\r\n'.repeat(100)}\r\n`, 431],
    [
      'fields beyond where Node would cut',
      `GET / HTTP/1.1\r\nHost: foo.com\r\n${'X: a\r\n'.repeat(1_100)}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      431,
    ],
    ['a head too large', `GET / HTTP/1.1\r\nHost: foo.com\r\nX: ${'a'.repeat(40_000)}\r\n\r\n`, 431],
    ['a target too long', `GET /${'a'.repeat(9_000)} HTTP/1.1\r\nHost: foo.com\r\n\r\n`, 414],
    ['no HTTP at all', '\u0016\u0003\u0001\u0002\u0000', 400],
  ];

  it.each(refused)('%s: refused, and the connection closed', async (_what, bytes, status) => {
    let reached = 0;
    const { port } = await upstream((_request, response) => {
      reached += 1;
      response.end();
    });
    const { httpPort } = await edgeWith([
      anIngress({ rules: { 'foo.com': [['/', 'Prefix']] } }),
      ...loopbackService('web', port),
    ]);
    const raw = await sendRaw(httpPort, bytes);
    expect(raw.split('\r\n')[0]).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(raw.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(reached).toBe(0);
  });

  it.each([
    [
      'an absolute target with the same Host',
      'GET http://foo.com/x HTTP/1.1\r\nHost: foo.com\r\nConnection: close\r\n\r\n',
      '"url":"/x"',
    ],
    ['HTTP/1.0', 'GET /x HTTP/1.0\r\nHost: foo.com\r\n\r\n', '"url":"/x"'],
    [
      'an odd query',
      'GET /x?a=\\d&b=|{}^` HTTP/1.1\r\nHost: foo.com\r\nConnection: close\r\n\r\n',
      '"url":"/x?a=\\\\d&b=|{}^`"',
    ],
    [
      '__proto__ as a field',
      'GET /x HTTP/1.1\r\nHost: foo.com\r\nConnection: close\r\nconstructor: 1\r\n\r\n',
      '"constructor","1"',
    ],
  ])('%s is served', async (_what, bytes, expected) => {
    const { httpPort } = await reportingEdge();
    expect(await sendRaw(httpPort, bytes)).toContain(expected);
  });
});

describe('the access log', () => {
  it('has a line a request, without the query, where it is asked for', async () => {
    const { httpPort, accessLog } = await reportingEdge({}, { accessLog: { kind: 'json' } });
    await send({ port: httpPort, path: '/a?token=secret' });
    await expect.poll(() => accessLog).toHaveLength(1);
    expect(JSON.parse(accessLog[0] ?? '')).toMatchObject({
      method: 'GET',
      host: 'foo.com',
      path: '/a',
      status: 200,
      secure: false,
      ingress: 'default/site',
    });
    expect(accessLog[0]).not.toContain('secret');
  });
});

describe('bodies that nobody wants', () => {
  it('are read so that the answer gets through, and the connection lives on', async () => {
    const { httpPort } = await reportingEdge();
    const body = 'x'.repeat(200_000);
    const first = `POST / HTTP/1.1\r\nHost: bar.com\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const raw = await sendRaw(
      httpPort,
      `${first}GET /next HTTP/1.1\r\nHost: foo.com\r\nConnection: close\r\n\r\n`,
    );
    expect(raw).toMatch(/^HTTP\/1\.1 404 /);
    expect(raw).toContain('"url":"/next"');
  });
});

describe('changes', () => {
  it('a new Ingress, other endpoints and a deletion are in effect at once, on connections that live on', async () => {
    const one = await upstream((_request, response) => response.end('one'));
    const two = await upstream((_request, response) => response.end('two'));
    const edge = await edgeWith(loopbackService('web', one.port));
    expect((await send({ port: edge.httpPort })).status).toBe(404);
    const ingress = anIngress({ rules: { 'foo.com': [['/', 'Prefix']] } });
    edge.apply(ingress);
    await edge.until(() => edge.edge.table().hosts.size === 1);
    expect((await send({ port: edge.httpPort })).body).toBe('one');
    const before = edge.edge.table();
    const slice = aSlice('web', [{ addresses: ['127.0.0.1'] }], [{ name: '', port: two.port }]);
    edge.apply({ ...slice, metadata: { ...slice.metadata, name: 'web-0' } });
    await edge.until(() => edge.edge.table() !== before);
    expect((await send({ port: edge.httpPort })).body).toBe('two');
    edge.remove(ingress);
    await edge.until(() => edge.edge.table().hosts.size === 0);
    expect((await send({ port: edge.httpPort })).status).toBe(404);
  });
});
