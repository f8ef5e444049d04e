import { once } from 'node:events';
import type { ClientHttp2Session } from 'node:http2';
import { afterEach, describe, expect, it } from 'vitest';
import { headerFieldsOf } from '../exchange/header-fields.ts';
import type { AnswerHead, BodySink, ClientExchange, ServeRequest } from '../exchange/ports.ts';
import type { CheckedHead } from '../policy/request-head.ts';
import {
  endHeaders,
  frame,
  frameType,
  headerBlock,
  plainRequest,
  rawClient,
  uint32,
} from './raw-peer.testing.ts';
import {
  answerText,
  ask,
  connectTo,
  follow,
  type Gathered,
  gather,
  plainFacts,
  reportingServe,
  startServer,
  type TestServer,
} from './server.testing.ts';

const servers: TestServer[] = [];
const sessions: ClientHttp2Session[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy();
  await Promise.all(servers.splice(0).map(server => server.close()));
});

async function serving(
  serve: ServeRequest,
  changes?: Parameters<typeof startServer>[1],
): Promise<{ server: TestServer; session: ClientHttp2Session }> {
  const server = await startServer(serve, changes);
  servers.push(server);
  const session = connectTo(server.port);
  sessions.push(session);
  return { server, session };
}

/** The exchange of the next request, to be played with by hand. */
function byHand(): {
  serve: ServeRequest;
  next: () => Promise<{ head: CheckedHead; client: ClientExchange }>;
} {
  const waiting: ((given: { head: CheckedHead; client: ClientExchange }) => void)[] = [];
  const came: { head: CheckedHead; client: ClientExchange }[] = [];
  return {
    serve(head, client) {
      const taker = waiting.shift();
      if (taker === undefined) came.push({ head, client });
      else taker({ head, client });
    },
    next: () =>
      new Promise(resolve => {
        const given = came.shift();
        if (given === undefined) waiting.push(resolve);
        else resolve(given);
      }),
  };
}

function answerHead(changes: Partial<AnswerHead> = {}): AnswerHead {
  return { status: 200, statusText: 'OK', fields: headerFieldsOf([]), framing: { kind: 'open' }, ...changes };
}

const web = { ':authority': 'foo.com', ':path': '/a?b=c' };

describe('a request over HTTP/2', () => {
  it('becomes the same head as over HTTP/1.1, with cookies as one field', async () => {
    const { session } = await serving(reportingServe);
    const list = [
      ':method',
      'GET',
      ':scheme',
      'https',
      ':authority',
      'Foo.com:8443',
      ':path',
      '/%7ea/./b?x=1',
    ];
    const seen = await ask(session, [...list, 'cookie', 'a=1', 'accept', '*/*', 'cookie', 'b=2']);
    expect(JSON.parse(seen.body)).toEqual({
      method: 'GET',
      path: '/~a/b',
      query: '?x=1',
      hostHeader: 'Foo.com:8443',
      body: 'none',
      fields: ['cookie: a=1; b=2', 'accept: */*'],
      text: '',
      trailers: [],
    });
  });

  it('has its body and its trailers', async () => {
    const { session } = await serving(reportingServe);
    const stream = session.request({ ...web, ':method': 'POST' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-checksum': '42' }));
    stream.end('hello');
    const seen = await follow(stream);
    expect(JSON.parse(seen.body)).toMatchObject({
      body: 'chunked',
      text: 'hello',
      trailers: ['x-checksum: 42'],
    });
  });

  it('with a length has it checked against the body', async () => {
    const { session } = await serving(reportingServe);
    const post = { ...web, ':method': 'POST', 'content-length': '5' };
    expect(JSON.parse((await ask(session, post, 'hello')).body)).toMatchObject({
      body: 'length',
      text: 'hello',
    });
    expect((await ask(session, post, 'hell')).complete).toBe(false);
  });

  it.each([0, 2, 7, 8])(
    'that is cut off with code %s is aborted, and never taken for a whole one',
    async code => {
      const { serve, next } = byHand();
      const { server } = await serving(serve);
      const client = await rawClient(server.port);
      client.send(
        frame(frameType.headers, endHeaders, 1, headerBlock([...plainRequest.slice(1), [':method', 'POST']])),
        frame(frameType.data, 0, 1, Buffer.from('part')),
      );
      const { client: exchange } = await next();
      const body = new Promise<Gathered>(resolve => exchange.requestBody.pipe(gather(resolve)));
      client.send(frame(frameType.rstStream, 0, 1, uint32(code)));
      expect(await body).toMatchObject({ text: 'part', aborted: true });
      client.socket.destroy();
    },
  );
});

describe('an answer over HTTP/2', () => {
  it('has its fields, its length and its body, without what belongs to a connection', async () => {
    const { session } = await serving((_head, client) =>
      answerText(client, 201, 'made', [
        'Content-Type',
        'text/plain',
        'Connection',
        'x',
        'Set-Cookie',
        'a',
        'set-cookie',
        'b',
      ]),
    );
    const seen = await ask(session, web);
    expect([seen.status, seen.body, seen.complete]).toEqual([201, 'made', true]);
    expect(seen.headers).toMatchObject({
      'content-type': 'text/plain',
      'content-length': '4',
      'set-cookie': ['a', 'b'],
    });
    expect(seen.headers['connection']).toBeUndefined();
  });

  it('carries trailers', async () => {
    const { session } = await serving((_head, client) => {
      const sink = client.answer(answerHead());
      sink.write(Buffer.from('x'));
      sink.end(headerFieldsOf(['Grpc-Status', '0', 'content-length', '7']));
    });
    const seen = await ask(session, web);
    expect([seen.body, seen.complete]).toEqual(['x', true]);
    expect(Object.entries(seen.trailers)).toEqual([['grpc-status', '0']]);
  });

  it('to HEAD has the length and no body', async () => {
    const { session } = await serving((_head, client) => {
      client.answer(answerHead({ framing: { kind: 'length', length: 1_000 } })).end();
    });
    const seen = await ask(session, { ...web, ':method': 'HEAD' });
    expect([seen.status, seen.headers['content-length'], seen.body, seen.complete]).toEqual([
      200,
      '1000',
      '',
      true,
    ]);
  });

  it.each([204, 304])('of status %s has no body, whatever is written', async status => {
    const { session } = await serving((_head, client) => answerText(client, status, 'stray'));
    const seen = await ask(session, web);
    expect([seen.status, seen.body, seen.complete]).toEqual([status, '', true]);
  });

  it('comes after 100 and 103', async () => {
    const { session } = await serving((head, client) => {
      if (head.expectsContinue) client.continue();
      client.inform(103, headerFieldsOf(['link', '</a.css>', 'link', '</b.css>']));
      answerText(client, 200, 'done');
    });
    const stream = session.request({ ...web, ':method': 'POST', expect: '100-continue' });
    stream.end('x');
    const seen = await follow(stream);
    expect([seen.interim, seen.status]).toEqual([[100, 103], 200]);
  });

  it('that is aborted never looks complete', async () => {
    const { serve, next } = byHand();
    const { session } = await serving(serve);
    const stream = session.request(web);
    const answer = follow(stream);
    const { client } = await next();
    const sink = client.answer(answerHead());
    sink.write(Buffer.from('part'));
    await once(stream, 'data');
    sink.abort(new Error('upstream gone'));
    expect(await answer).toMatchObject({ complete: false, rstCode: 2 });
  });

  it('that is cut with the server never looks complete', async () => {
    const { serve, next } = byHand();
    const { server, session } = await serving(serve);
    const stream = session.request(web);
    const answer = follow(stream);
    const sink = (await next()).client.answer(answerHead());
    sink.write(Buffer.from('part'));
    await once(stream, 'data');
    server.server.close();
    expect((await answer).rstCode).not.toBe(0);
  });

  it('calls after the client has gone do nothing, and the client is said to be gone once', async () => {
    const { serve, next } = byHand();
    const { session } = await serving(serve);
    const stream = session.request(web);
    stream.on('error', () => {});
    const { client } = await next();
    let aborts = 0;
    const aborted = new Promise<void>(resolve => {
      client.onAbort = () => {
        aborts += 1;
        resolve();
      };
    });
    stream.close(8);
    await aborted;
    const sink: BodySink = client.answer(answerHead());
    expect(sink.write(Buffer.from('late'))).toBe(true);
    sink.end();
    sink.abort(new Error('late'));
    client.continue();
    expect(aborts).toBe(1);
  });
});

describe('back-pressure', () => {
  it('an answer is taken no faster than the client reads it', async () => {
    const { serve, next } = byHand();
    const { session } = await serving(serve);
    const stream = session.request(web);
    stream.pause();
    const { client } = await next();
    const sink = client.answer(answerHead());
    const chunk = Buffer.alloc(65_536);
    let written = 0;
    const fill = (): void => {
      while (written < 100) {
        written += 1;
        if (!sink.write(chunk)) return;
      }
      sink.end();
    };
    client.onDrain = fill;
    fill();
    for (let round = 0; round < 20; round += 1) await new Promise(resolve => session.ping(resolve));
    // The client's window, and what Node holds.
    expect(written).toBeLessThan(5);
    let received = 0;
    stream.on('data', (part: Buffer) => {
      received += part.length;
    });
    stream.resume();
    await once(stream, 'end');
    expect(received).toBe(100 * chunk.length);
  });

  it("a request's body is taken no faster than it is wanted", async () => {
    const { serve, next } = byHand();
    const { session, server } = await serving(serve);
    const stream = session.request({ ...web, ':method': 'POST' });
    stream.on('error', () => {});
    const { client } = await next();
    let taken = 0;
    const wanted = 8_000_000;
    const complete = new Promise<void>(resolve => {
      client.requestBody.pipe({
        write(chunk) {
          taken += chunk.length;
          setImmediate(() => client.requestBody.resume());
          return false;
        },
        end: () => resolve(),
        abort: () => resolve(),
      });
    });
    stream.end(Buffer.alloc(wanted));
    await complete;
    expect(taken).toBe(wanted);
    expect(server.refused).toEqual([]);
  });

  it('what nobody wants stays with the client', async () => {
    const { serve, next } = byHand();
    const { session, server } = await serving(serve);
    const stream = session.request({ ...web, ':method': 'POST' });
    stream.on('error', () => {});
    await next();
    let accepted = 0;
    const chunk = Buffer.alloc(65_536);
    const push = (): void => {
      stream.write(chunk, error => {
        if (error) return;
        accepted += chunk.length;
        push();
      });
    };
    push();
    for (let round = 0; round < 20; round += 1) await new Promise(resolve => session.ping(resolve));
    const [socket] = server.sockets;
    expect(socket?.bytesRead).toBeLessThan(400_000);
    expect(accepted).toBeLessThan(400_000);
  });
});

describe('an answer before the end of the body', () => {
  it('is whole, and the rest of the body is thrown away without a reset', async () => {
    const { server } = await serving((_head, client) => answerText(client, 200, 'early'));
    const client = await rawClient(server.port);
    client.send(
      frame(frameType.headers, endHeaders, 1, headerBlock([...plainRequest.slice(1), [':method', 'POST']])),
    );
    await client.find(({ type, flags }) => type === frameType.data && flags === 1);
    for (let sent = 0; sent < 50; sent += 1) {
      client.send(frame(frameType.data, sent === 49 ? 1 : 0, 1, Buffer.alloc(10_000)));
      await client.settled();
    }
    expect(client.frames.filter(({ type }) => type === frameType.rstStream)).toEqual([]);
    client.socket.destroy();
  });

  it.each([
    ['goes on for long', 40],
    ['stalls', 0],
  ])('and a body that %s is cut short with NO_ERROR, behind the answer', async (_, chunks) => {
    const { server } = await serving((_head, client) => {
      client.requestBody.discard();
      answerText(client, 413, 'too long');
    });
    const client = await rawClient(server.port);
    client.send(
      frame(frameType.headers, endHeaders, 1, headerBlock([...plainRequest.slice(1), [':method', 'POST']])),
    );
    await client.settled();
    for (let sent = 0; sent < chunks; sent += 1) {
      client.send(...Array.from({ length: 8 }, () => frame(frameType.data, 0, 1, Buffer.alloc(8_192))));
      await client.settled();
    }
    if (chunks === 0) server.clock.advance(5_000);
    const reset = await client.find(({ type }) => type === frameType.rstStream);
    expect(reset?.payload).toEqual(uint32(0));
    const ofStream = client.frames.filter(({ stream }) => stream === 1);
    const types = ofStream.map(({ type, flags }) => (type === frameType.data && flags === 1 ? 'end' : type));
    expect(types.indexOf('end')).toBeGreaterThan(0);
    expect(types.indexOf('end')).toBeLessThan(types.indexOf(frameType.rstStream));
    client.socket.destroy();
  });
});

describe('the end of a connection', () => {
  it('drain: GOAWAY, the answer under way is completed, and then the connection closes', async () => {
    const { serve, next } = byHand();
    const { server, session } = await serving(serve);
    const answer = ask(session, web);
    const { client } = await next();
    const goaway = once(session, 'goaway');
    server.server.drain(1_000);
    expect((await goaway)[0]).toBe(0);
    answerText(client, 200, 'whole');
    expect(await answer).toMatchObject({ status: 200, body: 'whole', complete: true });
    await once(session, 'close');
  });

  it('an idle connection is closed by a drain at once, and one that comes later is served one request', async () => {
    const { server, session } = await serving(reportingServe);
    expect((await ask(session, web)).status).toBe(200);
    const closed = once(session, 'close');
    server.server.drain(1_000);
    await closed;
    const late = connectTo(server.port);
    sessions.push(late);
    const lateClosed = once(late, 'close');
    expect((await ask(late, web)).status).toBe(200);
    await lateClosed;
  });

  it('after as many requests as it may carry', async () => {
    const { session } = await serving(reportingServe, { limits: { requestsPerConnection: 2 } });
    const closed = once(session, 'close');
    expect((await ask(session, web)).status).toBe(200);
    expect((await ask(session, web)).status).toBe(200);
    await closed;
  });

  it('when it is idle for long, or never sends a request', async () => {
    const { server, session } = await serving(reportingServe, {
      timeouts: { keepAliveMs: 75_000, headMs: 30_000 },
    });
    await ask(session, web);
    server.clock.advance(74_000);
    expect((await ask(session, web)).status).toBe(200);
    const closed = once(session, 'close');
    server.clock.advance(76_000);
    await closed;
    const silent = connectTo(server.port);
    sessions.push(silent);
    await once(silent, 'remoteSettings');
    const silentClosed = once(silent, 'close');
    server.clock.advance(31_000);
    await silentClosed;
  });
});

describe('a socket', () => {
  it('that has gone before it is taken, or right after, harms nothing', async () => {
    const { server, session } = await serving(reportingServe);
    for (const end of [true, false]) {
      const client = await rawClient(server.port);
      await client.settled();
      const socket = server.sockets.at(-1);
      if (socket === undefined) throw new Error('no socket');
      if (end) socket.destroy();
      server.server.take(socket, plainFacts);
      socket.destroy();
      await client.closed;
    }
    expect((await ask(session, web)).status).toBe(200);
  });
});

describe('time-outs of a stream', () => {
  it('a body that stalls is given up, to be answered 408', async () => {
    const { serve, next } = byHand();
    const { server, session } = await serving(serve);
    const stream = session.request({ ...web, ':method': 'POST' });
    const answer = follow(stream);
    stream.write('part');
    const { client } = await next();
    const fault = new Promise<Error>(resolve =>
      client.requestBody.pipe({ write: () => true, end: () => {}, abort: resolve }),
    );
    await new Promise(resolve => session.ping(resolve));
    server.clock.advance(61_000);
    expect(await fault).toMatchObject({ status: 408 });
    answerText(client, 408, 'late');
    const closed = once(stream, 'end');
    await closed;
    server.clock.advance(5_000);
    expect((await answer).status).toBe(408);
  });

  it('a client that reads nothing of its answer is reset', async () => {
    const { serve, next } = byHand();
    const { server, session } = await serving(serve);
    const stream = session.request(web);
    const over = new Promise(resolve => stream.once('close', resolve));
    stream.on('error', () => {});
    stream.pause();
    const { client } = await next();
    const sink = client.answer(answerHead());
    while (sink.write(Buffer.alloc(65_536)));
    await new Promise(resolve => session.ping(resolve));
    let aborted = false;
    client.onAbort = () => {
      aborted = true;
    };
    server.clock.advance(61_000);
    await over;
    expect([aborted, stream.rstCode]).toEqual([true, 2]);
  });

  it('a request that waits for its answer is not', async () => {
    const { serve, next } = byHand();
    const { server, session } = await serving(serve);
    const answer = ask(session, web);
    const { client } = await next();
    server.clock.advance(3_600_000);
    answerText(client, 200, 'late');
    expect((await answer).body).toBe('late');
  });
});
