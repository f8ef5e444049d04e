import { afterEach, describe, expect, it } from 'vitest';
import { anIngress } from '../compile/builders.testing.ts';
import { loopbackService, startTestEdge, type TestEdge } from '../edge.testing.ts';
import type { EdgeConfig } from '../options.ts';
import { type RawClient, rawClient, rawUpstream } from '../raw-peers.testing.ts';
import { startUpstream, textOf } from '../upstreams.testing.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(one => one.close()));
});

async function edgeBefore(port: number, config?: EdgeConfig): Promise<TestEdge> {
  const ingress = anIngress({ rules: { 'foo.com': [['/', 'Prefix']] } });
  const started = await startTestEdge([ingress, ...loopbackService('web', port)], {
    drainMs: 200,
    ...config,
  });
  open.push({ close: () => started.edge.stop() });
  return started;
}

/** A client of an edge whose upstream answers with the request's path, method and body. */
async function clientOf(config?: EdgeConfig): Promise<RawClient> {
  const upstream = await startUpstream((request, response) => {
    void textOf(request).then(
      body => {
        if (request.url?.startsWith('/chunks') === true) response.write(`${request.method} `);
        return response.end(`${request.method} ${request.url} ${body}`);
      },
      // A body that breaks off is the edge's affair.
      () => {},
    );
  });
  open.push(upstream);
  const { httpPort } = await edgeBefore(upstream.port, config);
  return rawClient(httpPort);
}

const host = 'Host: foo.com\r\n';

describe('one connection', () => {
  it('carries requests one after the other, and in one piece', async () => {
    const client = await clientOf();
    client.send(`GET /1 HTTP/1.1\r\n${host}\r\n`);
    await client.until('GET /1 ');
    const body = `POST /2 HTTP/1.1\r\n${host}Content-Length: 3\r\n\r\nabc`;
    const chunks = `POST /3 HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`;
    client.send(
      `${body}${chunks}GET /4 HTTP/1.1\r\n${host}\r\nGET /5 HTTP/1.1\r\n${host}Connection: close\r\n\r\n`,
    );
    const { text, how } = await client.closed();
    expect(text.match(/(?:GET|POST) \/\d [a-z]*/g)).toEqual([
      'GET /1 ',
      'POST /2 abc',
      'POST /3 abc',
      'GET /4 ',
      'GET /5 ',
    ]);
    expect(how).toBe('end');
    expect(text.match(/Connection: close/g)).toHaveLength(1);
  });

  it('takes requests that come byte for byte', async () => {
    const client = await clientOf();
    client.socket.setNoDelay(true);
    for (const char of `POST /1 HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`) {
      client.send(char);
      await new Promise(resolve => setImmediate(resolve));
    }
    expect(await client.until('POST /1 abc')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it('lets one empty line pass between requests', async () => {
    const client = await clientOf();
    client.send(`GET /1 HTTP/1.1\r\n${host}\r\n`);
    await client.until('GET /1 ');
    client.send(`\r\nGET /2 HTTP/1.1\r\n${host}\r\n`);
    await client.until('GET /2 ');
    client.send(`\r\n\r\nGET /3 HTTP/1.1\r\n${host}\r\n`);
    expect((await client.closed()).text).toMatch(/HTTP\/1\.1 400 Bad Request\r\n[^]*400 Bad Request\n$/);
  });

  it('ends behind a request that is refused: what follows is not read', async () => {
    const client = await clientOf();
    client.send(`GET /1 HTTP/1.1\r\n${host}\r\nGET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n${host}\r\n`);
    const { text } = await client.closed();
    expect(text).toContain('GET /1 ');
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
  });

  it('ends behind a chunk that is refused, with 400 where nothing was answered', async () => {
    const client = await clientOf();
    client.send(`POST /1 HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n`);
    expect((await client.closed()).text).toMatch(/^HTTP\/1\.1 400 [^]*Connection: close\r\n/);
  });

  it('carries as many requests as it may, and says so', async () => {
    const client = await clientOf({ limits: { requestsPerConnection: 2 } });
    client.send(`GET /1 HTTP/1.1\r\n${host}\r\nGET /2 HTTP/1.1\r\n${host}\r\nGET /3 HTTP/1.1\r\n${host}\r\n`);
    const { text } = await client.closed();
    expect(text).toMatch(/GET \/1 [^]*Connection: close\r\n[^]*GET \/2 $/);
    expect(text).not.toContain('GET /3');
  });

  it('of HTTP/1.0 ends with its answer, or stays where it is asked to', async () => {
    const client = await clientOf();
    client.send('GET /1 HTTP/1.0\r\nHost: foo.com\r\nConnection: keep-alive\r\n\r\n');
    expect(await client.until('GET /1 ')).toContain('Connection: keep-alive\r\n');
    client.send('GET /chunks HTTP/1.0\r\nHost: foo.com\r\nConnection: keep-alive\r\n\r\n');
    const { text } = await client.closed();
    expect(text).not.toContain('Transfer-Encoding');
    expect(text.endsWith('GET GET /chunks ')).toBe(true);
  });

  it('answers HEAD without a body, and the request behind it', async () => {
    const client = await clientOf();
    client.send(
      `HEAD /1 HTTP/1.1\r\n${host}\r\nHEAD /chunks HTTP/1.1\r\n${host}\r\nGET /2 HTTP/1.1\r\n${host}\r\n`,
    );
    const text = await client.until('GET /2 ');
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(3);
    expect(text).not.toContain('HEAD /');
  });
});

describe('trailers', () => {
  it('go both ways, but for those that must not stand there', async () => {
    const upstream = await startUpstream((request, response) => {
      void textOf(request).then(() => {
        response.writeHead(200, { trailer: 'x-sum' });
        response.write('body');
        response.addTrailers({ 'x-sum': JSON.stringify(request.rawTrailers), 'set-cookie': 'a=1' });
        return response.end();
      });
    });
    open.push(upstream);
    const client = rawClient((await edgeBefore(upstream.port)).httpPort);
    const trailers =
      'X-Sum: 1\r\nX-Forwarded-For: 1.2.3.4\r\nX_Y: 1\r\nAuthorization: x\r\nConnection: close\r\n';
    client.send(
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n${trailers}\r\n`,
    );
    expect(await client.until('\r\n0\r\n')).toMatch(/4\r\nbody\r\n0\r\nx-sum: \["X-Sum","1"\]\r\n\r\n$/);
  });

  it.each([
    ['framing', 'Content-Length: 3\r\n'],
    ['folding', 'X: a\r\n b\r\n'],
    ['a name that is none', 'X Y: a\r\n'],
  ])('with %s are refused', async (_what, trailers) => {
    const client = await clientOf();
    client.send(
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n${trailers}\r\n`,
    );
    expect((await client.closed()).text).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('100 Continue', () => {
  it('is sent once the upstream stands, and the body is awaited', async () => {
    const client = await clientOf();
    client.send(`POST /1 HTTP/1.1\r\n${host}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n`);
    await client.until('HTTP/1.1 100 Continue\r\n\r\n');
    client.send('abc');
    expect(await client.until('POST /1 abc')).not.toContain('Connection: close');
  });

  it('is not sent where the answer is there already, and the connection closed: the body may come or not', async () => {
    const client = await clientOf();
    client.send(`POST /1 HTTP/1.1\r\nHost: bar.com\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n`);
    const { text } = await client.closed();
    expect(text).toMatch(/^HTTP\/1\.1 404 [^]*Connection: close\r\n/);
  });

  it('interim answers of the upstream are passed on to HTTP/1.1 alone, and 100 is not', async () => {
    const upstream = await rawUpstream(socket =>
      socket.write(
        'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
      ),
    );
    open.push(upstream);
    const { httpPort } = await edgeBefore(upstream.port);
    const [newer, older] = [rawClient(httpPort), rawClient(httpPort)];
    newer.send(`GET / HTTP/1.1\r\n${host}\r\n`);
    older.send(`GET / HTTP/1.0\r\n${host}\r\n`);
    expect(await newer.until('\r\n\r\nok')).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a>\r\n\r\nHTTP\/1\.1 200 OK/,
    );
    expect(await older.until('\r\n\r\nok')).toMatch(/^HTTP\/1\.1 200 OK/);
  });
});

describe('time-outs', () => {
  it('a head that comes too slowly is answered with 408', async () => {
    const client = await clientOf({ timeouts: { headMs: 100 } });
    client.send('GET / HTTP/1.1\r\nHo');
    expect((await client.closed()).text).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('drops of a head do not put the end off', async () => {
    const client = await clientOf({ timeouts: { headMs: 120 } });
    client.send(`GET / HTTP/1.1\r\n${host}`);
    const drops = setInterval(() => client.send('X: 1\r\n'), 20);
    expect((await client.closed()).text).toMatch(/^HTTP\/1\.1 408 /);
    clearInterval(drops);
  });

  it('a connection that says nothing is closed', async () => {
    const client = await clientOf({ timeouts: { headMs: 60 } });
    expect((await client.closed()).text).toBe('');
  });

  it('an idle connection is closed', async () => {
    const client = await clientOf({ timeouts: { keepAliveMs: 60 } });
    client.send(`GET /1 HTTP/1.1\r\n${host}\r\n`);
    expect((await client.closed()).text).toMatch(/GET \/1 $/);
  });

  it('a body that stops coming is answered with 408, and the upstream given up', async () => {
    const upstream = await rawUpstream(() => {});
    open.push(upstream);
    const client = rawClient((await edgeBefore(upstream.port, { timeouts: { idleMs: 80 } })).httpPort);
    client.send(`POST / HTTP/1.1\r\n${host}Content-Length: 10\r\n\r\nhalf`);
    expect((await client.closed()).text).toMatch(/^HTTP\/1\.1 408 [^]*Connection: close\r\n/);
    await expect.poll(() => upstream.open()).toBe(0);
  });

  it('a client that takes nothing of its answer is cut', async () => {
    const upstream = await startUpstream((_request, response) => {
      const fill = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        response.once('drain', fill);
      };
      fill();
    });
    open.push(upstream);
    const client = rawClient((await edgeBefore(upstream.port, { timeouts: { idleMs: 80 } })).httpPort);
    client.socket.pause();
    client.send(`GET / HTTP/1.1\r\n${host}\r\n`);
    await expect
      .poll(() => new Promise(resolve => upstream.server.getConnections((_error, count) => resolve(count))), {
        timeout: 5_000,
      })
      .toBe(1);
    await expect
      .poll(() => new Promise(resolve => upstream.server.getConnections((_error, count) => resolve(count))), {
        timeout: 10_000,
      })
      .toBe(0);
    client.socket.destroy();
  });
});

describe('bodies', () => {
  it.each([
    ['with a length', 'Content-Length: 11\r\n\r\nhello world'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n'],
  ])('longer than they may be, %s, are answered with 413', async (_what, rest) => {
    const client = await clientOf({ policy: { bodyBytes: 10 } });
    client.send(`POST /1 HTTP/1.1\r\n${host}${rest}`);
    await client.until(/^HTTP\/1\.1 413 /);
    // The body was read: the connection lives on.
    client.send(`POST /2 HTTP/1.1\r\n${host}Content-Length: 10\r\n\r\nhello worl`);
    await client.until('POST /2 hello worl');
  });

  it('a client that goes in the middle of its body is no end of it to the upstream', async () => {
    const seen: string[] = [];
    const upstream = await startUpstream(request => {
      request.on('error', error => seen.push(error.message));
      request.on('end', () => seen.push('end'));
      request.resume();
    });
    open.push(upstream);
    const client = rawClient((await edgeBefore(upstream.port)).httpPort);
    client.send(`POST /1 HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`);
    await expect
      .poll(() => new Promise(resolve => upstream.server.getConnections((_error, count) => resolve(count))))
      .toBe(1);
    client.socket.destroy();
    await expect.poll(() => seen).toEqual(['aborted']);
  });
});

describe('stopping', () => {
  it('a connection that was just opened may send one request yet', async () => {
    const upstream = await startUpstream((_request, response) => response.end('served'));
    open.push(upstream);
    const { httpPort, edge } = await edgeBefore(upstream.port, { drainMs: 2_000 });
    const [early, idle] = [rawClient(httpPort), rawClient(httpPort)];
    idle.send(`GET / HTTP/1.1\r\n${host}\r\n`);
    await idle.until('served');
    const stopped = edge.stop();
    expect((await idle.closed()).how).toBe('end');
    early.send(`GET / HTTP/1.1\r\n${host}\r\n`);
    expect((await early.closed()).text).toMatch(/Connection: close\r\n\r\nserved$/);
    await stopped;
  });

  it('a request that is on its way on a kept connection is answered, and told that it is the last', async () => {
    const upstream = await startUpstream((request, response) => {
      response.write('begun ');
      if (request.url === '/slow') slow.resolve(() => response.end('and ended'));
      else response.end();
    });
    const slow = Promise.withResolvers<() => void>();
    open.push(upstream);
    const { httpPort, edge } = await edgeBefore(upstream.port, { drainMs: 40_000 });
    const [kept, busy] = [rawClient(httpPort), rawClient(httpPort)];
    kept.send(`GET / HTTP/1.1\r\n${host}\r\n`);
    await kept.until('0\r\n\r\n');
    busy.send(`GET /slow HTTP/1.1\r\n${host}\r\n`);
    const end = await slow.promise;
    await busy.until('begun');
    const stopped = edge.stop();
    // Neither has been told of an end.
    for (const client of [kept, busy]) client.send(`GET /next HTTP/1.1\r\n${host}\r\n`);
    end();
    for (const client of [kept, busy])
      expect((await client.closed()).text.match(/Connection: close/g)).toHaveLength(1);
    await stopped;
  });
});
