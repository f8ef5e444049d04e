import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { anIngress } from '../compile/builders.testing.ts';
import { loopbackService, startTestEdge, type TestEdge } from '../edge.testing.ts';
import type { EdgeConfig } from '../options.ts';
import { type RawClient, type RawUpstream, rawClient, rawUpstream } from '../raw-peers.testing.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(one => one.close()));
});

interface World {
  readonly upstream: RawUpstream;
  readonly edge: TestEdge;
  readonly client: () => RawClient;
}

async function worldWith(
  serve: (socket: Socket, head: string, nth: number) => void,
  config?: EdgeConfig,
): Promise<World> {
  const upstream = await rawUpstream(serve);
  const ingress = anIngress({ rules: { 'foo.com': [['/', 'Prefix']] } });
  const edge = await startTestEdge([ingress, ...loopbackService('web', upstream.port)], {
    drainMs: 200,
    ...config,
  });
  open.push({ close: () => edge.edge.stop() }, upstream);
  return { upstream, edge, client: () => rawClient(edge.httpPort) };
}

/** The requests are such that no other try is made. */
const post = 'POST / HTTP/1.1\r\nHost: foo.com\r\nContent-Length: 0\r\n\r\n';
const get = 'GET / HTTP/1.1\r\nHost: foo.com\r\n\r\n';
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('an upstream that could be read in two ways has failed', () => {
  it.each([
    [
      'both framings',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    ],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok'],
    ['a coding that is not known', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok'],
    ['a field that is split', 'HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\nContent-Length: 2\r\n\r\nok'],
    ['a space before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok'],
    ['bare line feeds', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok\r\n\r\n'],
    ['garbage', '\0\0\0\0garbage\r\n\r\n'],
    ['garbage without an end', 'garbage that never ends'],
    ['another protocol', 'SSH-2.0-OpenSSH\r\n'],
    ['HTTP/0.9', '<html>ok</html>'],
    ['a head without an end', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(70_000)}`],
    ['101 unasked', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'],
    ['interim answers without end', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(50)],
    ['an interim answer with a body', `HTTP/1.1 103 Hints\r\nContent-Length: 30\r\n\r\n${ok}`],
  ])('%s: 502', async (_what, answer) => {
    const { client, upstream } = await worldWith(socket => void socket.write(answer, 'latin1'));
    const one = client();
    one.send(post);
    expect(await one.until('502 Bad Gateway\n')).toMatch(/(?:^|\r\n\r\n)HTTP\/1\.1 502 /);
    await expect.poll(() => upstream.open()).toBe(0);
  });
});

describe('a connection is not used again', () => {
  it.each([
    ['behind more than was announced', `${ok}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`],
    ['behind a body that an answer to HEAD must not have', ok],
    [
      'that the upstream means to close',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok',
    ],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  ])('%s', async (what, answer) => {
    const { client, upstream } = await worldWith(socket => void socket.write(answer));
    const one = client();
    const request = what.includes('HEAD') ? get.replace('GET', 'HEAD') : get;
    one.send(request);
    await one.until('\r\n\r\n');
    one.send(request);
    await one.until(/HTTP\/1\.1 200[^]*HTTP\/1\.1 200/);
    expect(upstream.accepted()).toBe(2);
    expect(one.received()).not.toContain('poison');
  });

  it('that sent something while it was idle', async () => {
    const { client, upstream } = await worldWith((socket, _head, nth) => {
      socket.write(nth === 1 ? ok : 'never');
      setImmediate(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison'));
    });
    const one = client();
    one.send(get);
    await one.until('ok');
    await expect.poll(() => upstream.open()).toBe(0);
    one.send(get);
    expect(await one.until(/ok[^]*ok/)).not.toContain('poison');
  });

  it('that answered before the request was complete', async () => {
    const { client, upstream } = await worldWith(socket => void socket.write(ok));
    const one = client();
    one.send('POST / HTTP/1.1\r\nHost: foo.com\r\nContent-Length: 10\r\n\r\n12345');
    await one.until('ok');
    one.send(`67890${get}`);
    await one.until(/ok[^]*ok/);
    expect(upstream.accepted()).toBe(2);
  });

  it('is used again behind a body that fills the client', async () => {
    const body = 'x'.repeat(3_000_000);
    const { client, upstream } = await worldWith(
      socket => void socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
    );
    const one = client();
    for (let round = 1; round <= 3; round += 1) {
      one.send(get);
      await expect.poll(() => one.received().length).toBeGreaterThan(body.length * round);
    }
    expect(upstream.accepted()).toBe(1);
  });

  it('that serves one request after the other otherwise is', async () => {
    const { client, upstream } = await worldWith(socket => void socket.write(ok));
    const one = client();
    for (let round = 1; round <= 5; round += 1) {
      one.send(get);
      await one.until(new RegExp(`(?:ok[^]*){${round}}`));
    }
    expect(upstream.accepted()).toBe(1);
  });
});

describe('an answer that breaks off is broken off for the client', () => {
  it.each([
    ['in a body with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'],
    ['in a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf'],
    ['between chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
    ['at a chunk that is none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n'],
  ])('%s', async (_what, answer) => {
    const { client } = await worldWith(socket => {
      socket.write(answer);
      setTimeout(() => socket.end(), 20);
    });
    const one = client();
    one.send(get);
    const { text, how } = await one.closed();
    expect(text).toMatch(/^HTTP\/1\.1 200 |^$/);
    expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
    expect(how).not.toBe('end');
  });

  it('to a client of HTTP/1.0 by a reset: an end would look like the end of the body', async () => {
    const { client } = await worldWith(socket => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n');
      setTimeout(() => socket.destroy(), 20);
    });
    const one = client();
    one.send('GET / HTTP/1.0\r\nHost: foo.com\r\n\r\n');
    expect((await one.closed()).how).toBe('ECONNRESET');
  });

  it('by an upstream that stalls in the middle', async () => {
    const { client } = await worldWith(
      socket => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'),
      { timeouts: { idleMs: 80 } },
    );
    const one = client();
    one.send(get);
    const { text, how } = await one.closed();
    expect(text).toMatch(/half$/);
    expect(how).not.toBe('end');
  });
});

describe('the end of the body', () => {
  it('is the end of the connection, where nothing else is said', async () => {
    const { client } = await worldWith(socket => socket.end('HTTP/1.1 200 OK\r\n\r\nall of it'));
    const one = client();
    one.send(get);
    expect(await one.until('\r\n0\r\n\r\n')).toMatch(
      /Transfer-Encoding: chunked\r\n\r\n9\r\nall of it\r\n0\r\n\r\n$/,
    );
  });

  it.each([
    ['204', 'HTTP/1.1 204 No Content\r\n\r\n', /204 No Content\r\n\r\n$/],
    [
      '304 with a length',
      'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
      /304 Not Modified\r\nContent-Length: 5\r\n\r\n$/,
    ],
    ['a length of nothing', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', /Content-Length: 0\r\n\r\n$/],
    [
      'no chunk at all',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      /chunked\r\n\r\n0\r\n\r\n$/,
    ],
  ])('is the end of the head: %s', async (_what, answer, expected) => {
    const { client, upstream } = await worldWith(socket => void socket.write(answer));
    const one = client();
    one.send(get);
    await one.until(expected);
    one.send(get);
    await one.until(new RegExp(`HTTP[^]*${expected.source}`));
    expect(upstream.accepted()).toBe(1);
  });

  it('is found whatever the pieces it comes in', async () => {
    const answer =
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\nX-T: 1\r\n\r\n';
    const { client, upstream } = await worldWith(socket => {
      socket.setNoDelay(true);
      let at = 0;
      const next = (): void => {
        socket.write(answer.charAt(at));
        at += 1;
        if (at < answer.length) setImmediate(next);
      };
      next();
    });
    const one = client();
    one.send(get);
    const text = await one.until('X-T: 1\r\n\r\n');
    expect(text.slice(text.indexOf('\r\n\r\n')).replaceAll(/\r\n[0-9a-f]+\r\n|\r\n/g, '')).toContain(
      'hello world',
    );
    one.send(get);
    await one.until(/X-T[^]*X-T/);
    expect(upstream.accepted()).toBe(1);
  });
});

describe('time-outs', () => {
  it('an upstream that does not answer: 504', async () => {
    const { client } = await worldWith(() => {}, { timeouts: { idleMs: 60 } });
    const one = client();
    one.send(post);
    await one.until(/^HTTP\/1\.1 504 /);
  });

  it('an upstream that takes nothing of a body: 504', async () => {
    const upstream = await rawUpstream(socket => socket.pause());
    const ingress = anIngress({ rules: { 'foo.com': [['/', 'Prefix']] } });
    const edge = await startTestEdge([ingress, ...loopbackService('web', upstream.port)], {
      drainMs: 200,
      timeouts: { idleMs: 150 },
      policy: { bodyBytes: 0 },
    });
    open.push({ close: () => edge.edge.stop() }, upstream);
    const one = rawClient(edge.httpPort);
    one.send(`POST / HTTP/1.1\r\nHost: foo.com\r\nContent-Length: ${100 << 20}\r\n\r\n`);
    const chunk = Buffer.alloc(1 << 20);
    const write = (): void => {
      while (!one.socket.destroyed && one.socket.write(chunk));
      one.socket.once('drain', write);
    };
    write();
    await one.until(/^HTTP\/1\.1 504 /);
    one.socket.destroy();
  });
});
