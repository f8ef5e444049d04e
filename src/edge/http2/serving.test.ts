import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  createSecureServer,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../api/meta.ts';
import { makeAuthority, type TestAuthority } from '../certificates.testing.ts';
import { anIngress, aSecret } from '../compile/builders.testing.ts';
import { loopbackService, startTestEdge, type TestEdge } from '../edge.testing.ts';
import type { EdgeConfig } from '../options.ts';
import { rawClient } from '../raw-peers.testing.ts';
import { type SeenRequest, startUpstream, valuesOf } from '../upstreams.testing.ts';
import { ask, follow } from './server.testing.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(one => one.close()));
});

let authority: TestAuthority;
beforeAll(async () => {
  authority = await makeAuthority();
});

async function edgeFor(
  objects: readonly KubeObject[],
  annotations: Record<string, string> = {},
  config: EdgeConfig = {},
): Promise<TestEdge> {
  const { chain, key } = await authority.issue(['foo.com', 'bar.com']);
  const all = [
    anIngress({
      rules: { 'foo.com': [['/', 'Prefix']] },
      tls: [{ hosts: ['foo.com', 'bar.com'], secretName: 'web-tls' }],
      annotations: Object.fromEntries(
        Object.entries(annotations).map(([name, value]) => [`nginx.ingress.kubernetes.io/${name}`, value]),
      ),
    }),
    aSecret('web-tls', { 'tls.crt': chain, 'tls.key': key }),
    ...objects,
  ];
  const edge = await startTestEdge(all, config);
  open.push({ close: () => edge.edge.stop() });
  return edge;
}

function clientOf(edge: TestEdge, servername = 'foo.com'): ClientHttp2Session {
  const session = connect(`https://127.0.0.1:${edge.httpsPort}`, { servername, ca: authority.certificate });
  session.on('error', () => {});
  open.push({ close: () => session.destroy() });
  return session;
}

const web = { ':authority': 'foo.com', ':path': '/a?b=c' };

describe('an HTTP/2 client before an HTTP/1.1 upstream', () => {
  it('is served as one of HTTP/1.1 is, by the same rules', async () => {
    const upstream = await startUpstream();
    open.push(upstream);
    const session = clientOf(await edgeFor(loopbackService('web', upstream.port)));
    const answers = await Promise.all(
      ['x', 'y', 'z'].map(body =>
        ask(session, { ...web, ':method': 'POST', cookie: ['a=1', 'b=2'], te: 'trailers' }, body),
      ),
    );
    const seen: SeenRequest[] = answers.map(({ body }) => JSON.parse(body));
    expect(seen.map(({ body }) => body)).toEqual(['x', 'y', 'z']);
    const [{ rawHeaders, url, method } = { rawHeaders: [], url: '', method: '' }] = seen;
    expect([method, url, valuesOf(rawHeaders, 'host'), valuesOf(rawHeaders, 'cookie')]).toEqual([
      'POST',
      '/a?b=c',
      ['foo.com'],
      ['a=1; b=2'],
    ]);
    expect(valuesOf(rawHeaders, 'x-forwarded-proto')).toEqual(['https']);
    expect((await ask(session, { ...web, ':method': 'HEAD' })).body).toBe('');
    expect((await ask(session, { ':authority': 'bar.com', ':path': '/' })).status).toBe(404);
    expect((await ask(session, { ':authority': 'foo.com', ':path': '/..' })).status).toBe(400);
  });

  it('gets chunked answers with their trailers, and bodies of any size', async () => {
    const size = 3_000_000;
    const upstream = await startUpstream((request, response) => {
      if (request.url === '/trailers') {
        response.writeHead(200, { trailer: 'x-sum' });
        response.write('body');
        response.addTrailers({ 'x-sum': '7' });
        response.end();
        return;
      }
      request.pipe(response);
    });
    open.push(upstream);
    const session = clientOf(
      await edgeFor(loopbackService('web', upstream.port), { 'proxy-body-size': '0' }),
    );
    const answer = await ask(session, { ...web, ':path': '/trailers', te: 'trailers' });
    expect([answer.body, answer.trailers['x-sum'], answer.complete]).toEqual(['body', '7', true]);
    const echoed = await ask(session, { ...web, ':method': 'POST' }, 'x'.repeat(size));
    expect([echoed.body.length, echoed.complete]).toEqual([size, true]);
  });

  it('says nothing behind its body that it may not say before it', async () => {
    const upstream = await startUpstream((request, response) => {
      request.resume();
      request.on('end', () => response.end(JSON.stringify(request.rawTrailers)));
    });
    open.push(upstream);
    const session = clientOf(await edgeFor(loopbackService('web', upstream.port)));
    const stream = session.request({ ...web, ':method': 'POST' }, { waitForTrailers: true });
    stream.on('wantTrailers', () =>
      stream.sendTrailers({
        'x-forwarded-for': '6.6.6.6',
        x_forwarded_for: '6.6.6.6',
        'ssl-client-verify': 'SUCCESS',
        authorization: 'Basic Zm9v',
        host: 'evil',
        'x-sum': '1',
      }),
    );
    stream.end('body');
    expect(JSON.parse((await follow(stream)).body)).toEqual(['x-sum', '1']);
  });

  it('sees an answer that breaks off as broken off', async () => {
    const upstream = await startUpstream((_request, response) => {
      response.write('part', () => setImmediate(() => response.destroy()));
    });
    open.push(upstream);
    const session = clientOf(await edgeFor(loopbackService('web', upstream.port)));
    expect(await ask(session, web)).toMatchObject({ status: 200, complete: false });
  });

  it('that goes away takes its upstream request with it', async () => {
    const gone = Promise.withResolvers<void>();
    const came = Promise.withResolvers<void>();
    const upstream = await startUpstream((_request, response) => {
      response.on('close', () => gone.resolve());
      came.resolve();
    });
    open.push(upstream);
    const session = clientOf(await edgeFor(loopbackService('web', upstream.port)));
    const stream = session.request(web);
    stream.on('error', () => {});
    await came.promise;
    stream.close(8);
    await gone.promise;
  });

  it('loses no request when the edge stops', async () => {
    const came = Promise.withResolvers<void>();
    let answer: () => void = () => {};
    const upstream = await startUpstream((_request, response) => {
      answer = () => response.end('late');
      came.resolve();
    });
    open.push(upstream);
    const edge = await edgeFor(loopbackService('web', upstream.port));
    const session = clientOf(edge);
    const pending = ask(session, web);
    await came.promise;
    const goaway = once(session, 'goaway');
    const stopped = edge.edge.stop();
    await goaway;
    answer();
    expect((await pending).body).toBe('late');
    await stopped;
  });
});

describe('the end of the edge', () => {
  it('cuts what is left when the time to drain is over, and what is cut never looks whole', async () => {
    const upstream = await startUpstream((_request, response) => void response.write('part'));
    open.push(upstream);
    const edge = await edgeFor(loopbackService('web', upstream.port), {}, { drainMs: 20 });
    const stream = clientOf(edge).request(web);
    const answer = follow(stream);
    await once(stream, 'data');
    await edge.edge.stop();
    const { complete, rstCode } = await answer;
    expect(complete && rstCode === 0).toBe(false);
  });
});

describe('a connection for one name that asks for another', () => {
  it('is sent away where the other wants client certificates (statement 15)', async () => {
    const upstream = await startUpstream();
    open.push(upstream);
    const guarded = anIngress({
      name: 'guarded',
      rules: { 'bar.com': [['/', 'Prefix']] },
      annotations: { 'nginx.ingress.kubernetes.io/auth-tls-secret': 'default/clients' },
      tls: [{ hosts: ['bar.com'], secretName: 'web-tls' }],
    });
    const clients = aSecret('clients', { 'ca.crt': authority.certificate });
    const session = clientOf(await edgeFor([...loopbackService('web', upstream.port), guarded, clients]));
    expect((await ask(session, { ':authority': 'bar.com' })).status).toBe(421);
    expect((await ask(session, web)).status).toBe(200);
  });
});

/** A message of gRPC over HTTP/2: a flag, four bytes of length, the bytes. */
function grpcMessage(text: string): Buffer {
  const bytes = Buffer.from(text);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

function grpcTexts(bytes: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt32BE(at + 1))
    texts.push(bytes.subarray(at + 5, at + 5 + bytes.readUInt32BE(at + 1)).toString());
  return texts;
}

/** A gRPC service: one answer, many answers, an answer for each message, an error. */
function serveGrpc(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  const head = { ':status': 200, 'content-type': 'application/grpc' };
  const path = headers[':path'];
  if (headers['te'] !== 'trailers') {
    stream.respond({ ':status': 400 }, { endStream: true });
    return;
  }
  if (path === '/test.Echo/Fail') {
    stream.respond({ ...head, 'grpc-status': '5', 'grpc-message': 'not here' }, { endStream: true });
    return;
  }
  stream.respond(head, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-trailer': 'yes' }));
  stream.on('data', (chunk: Buffer) => {
    for (const text of grpcTexts(chunk)) {
      const times = path === '/test.Echo/Many' ? 3 : 1;
      for (let time = 0; time < times; time += 1) stream.write(grpcMessage(`${text}!`));
    }
  });
  stream.on('end', () => stream.end());
}

async function grpcUpstream(secure?: SecureServerOptions): Promise<number> {
  const server: Http2Server = secure === undefined ? createServer() : createSecureServer(secure);
  const sessions: ServerHttp2Session[] = [];
  server.on('session', session => {
    session.on('error', () => {});
    sessions.push(session);
  });
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => {});
    serveGrpc(stream, headers);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push({
    close: () => {
      for (const session of sessions) session.destroy();
      server.close();
    },
  });
  return (server.address() as AddressInfo).port;
}

const grpcHead = {
  ':authority': 'foo.com',
  ':method': 'POST',
  'content-type': 'application/grpc',
  te: 'trailers',
};

describe('gRPC', () => {
  it('streams of the shape of gRPC pass: one message, many, and to and fro', async () => {
    const port = await grpcUpstream();
    const session = clientOf(await edgeFor(loopbackService('web', port), { 'backend-protocol': 'GRPC' }));
    const many = session.request({ ...grpcHead, ':path': '/test.Echo/Many' });
    many.end(grpcMessage('a'));
    const answer = await follow(many);
    expect([grpcTexts(Buffer.from(answer.body)), answer.trailers['grpc-status']]).toEqual([
      ['a!', 'a!', 'a!'],
      '0',
    ]);

    const talk = session.request({ ...grpcHead, ':path': '/test.Echo/Talk' });
    const over = follow(talk);
    for (const text of ['one', 'two', 'three']) {
      talk.write(grpcMessage(text));
      const [chunk] = (await once(talk, 'data')) as [Buffer];
      expect(grpcTexts(chunk)).toEqual([`${text}!`]);
    }
    talk.end();
    expect((await over).trailers).toMatchObject({ 'grpc-status': '0', 'x-trailer': 'yes' });
  });

  it('an upstream that speaks HTTP/2 sets no cookie of an HTTP/1.1 client behind its answer', async () => {
    const server = createServer();
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () =>
        stream.sendTrailers({ 'set-cookie': 'session=theirs', 'content-type': 'text/html', 'x-sum': '1' }),
      );
      stream.end('body');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    open.push(server);
    const { port } = server.address() as AddressInfo;
    const edge = await edgeFor(loopbackService('web', port), {
      'backend-protocol': 'GRPC',
      'ssl-redirect': 'false',
    });
    const client = rawClient(edge.httpPort);
    client.send('GET / HTTP/1.1\r\nHost: foo.com\r\nConnection: close\r\n\r\n');
    expect((await client.closed()).text).toMatch(/4\r\nbody\r\n0\r\nx-sum: 1\r\n\r\n$/);
  });

  it('an answer of trailers alone passes', async () => {
    const port = await grpcUpstream();
    const session = clientOf(await edgeFor(loopbackService('web', port), { 'backend-protocol': 'GRPC' }));
    const answer = await ask(session, { ...grpcHead, ':path': '/test.Echo/Fail' }, 'x');
    expect([answer.status, answer.headers['grpc-status'], answer.complete]).toEqual([200, '5', true]);
  });

  it.each(['GRPC', 'GRPCS'])("%s serves gRPC's own client", async protocol => {
    const own = await authority.issue(['web.default.svc']);
    const secure = protocol === 'GRPCS' ? { cert: own.chain, key: own.key } : undefined;
    const port = await grpcUpstream(secure);
    const edge = await edgeFor(
      [...loopbackService('web', port), aSecret('up', { 'ca.crt': authority.certificate })],
      {
        'backend-protocol': protocol,
        ...(secure === undefined ? {} : { 'proxy-ssl-secret': 'default/up' }),
      },
    );
    const client = new Client(
      `127.0.0.1:${edge.httpsPort}`,
      credentials.createSsl(Buffer.from(authority.certificate)),
      { 'grpc.ssl_target_name_override': 'foo.com', 'grpc.default_authority': 'foo.com' },
    );
    open.push({ close: () => client.close() });
    const call = (method: string, text: string): Promise<string | ServiceError> =>
      new Promise(resolve => {
        client.makeUnaryRequest(
          `/test.Echo/${method}`,
          (value: string) => Buffer.from(value),
          bytes => bytes.toString(),
          text,
          new Metadata(),
          (error, value) => resolve(error ?? value ?? ''),
        );
      });
    expect(await call('Unary', 'hello')).toBe('hello!');
    expect(await call('Fail', 'hello')).toMatchObject({ code: 5, details: 'not here' });
  });

  it('GRPCS of another authority is never served', async () => {
    const stranger = await (await makeAuthority('Another CA')).issue(['web.default.svc']);
    const port = await grpcUpstream({ cert: stranger.chain, key: stranger.key });
    const edge = await edgeFor(
      [...loopbackService('web', port), aSecret('up', { 'ca.crt': authority.certificate })],
      { 'backend-protocol': 'GRPCS', 'proxy-ssl-secret': 'default/up' },
    );
    const answer = await ask(clientOf(edge), { ...grpcHead, ':path': '/test.Echo/Unary' }, 'x');
    expect(answer.status).toBe(502);
    expect(edge.events).toEqual([expect.stringContaining('UpstreamTLSFailed')]);
  });
});
