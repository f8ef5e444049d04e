import { once } from 'node:events';
import {
  createSecureServer,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeAuthority, type TestAuthority } from '../certificates.testing.ts';
import { PrivateMaterial } from '../compile/private-material.ts';
import { plainHandshake, type UpstreamTls } from '../compile/table.ts';
import { headerFieldsOf } from '../exchange/header-fields.ts';
import type {
  AnswerHead,
  BodySink,
  BodySource,
  UpstreamExchange,
  UpstreamRequest,
} from '../exchange/ports.ts';
import { frame, frameType, headerBlock, uint32 } from '../http2/raw-peer.testing.ts';
import { type Gathered, gather } from '../http2/server.testing.ts';
import { TimerWheel } from '../timers/timer-wheel.ts';
import * as revocation from '../tls/revocation.testing.ts';
import { checkedLookup } from './checked-lookup.ts';
import type { UpstreamFailure } from './failure.ts';
import { Http2Connector } from './http2-connector.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

type OnStream = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

interface Upstream {
  readonly port: number;
  readonly sessions: ServerHttp2Session[];
}

async function upstream(onStream: OnStream, secure?: SecureServerOptions): Promise<Upstream> {
  const server: Http2Server = secure === undefined ? createServer() : createSecureServer(secure);
  const sessions: ServerHttp2Session[] = [];
  server.on('session', session => {
    session.on('error', () => {});
    sessions.push(session);
  });
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => {});
    onStream(stream, headers);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push({
    close: () => {
      for (const session of sessions) session.destroy();
      server.close();
    },
  });
  return { port: (server.address() as AddressInfo).port, sessions };
}

/** An upstream by bytes: called with each HEADERS frame's stream. */
async function rawUpstream(onRequest: (socket: Socket, stream: number) => void): Promise<number> {
  const server = createTcpServer({ noDelay: true }, socket => {
    socket.on('error', () => {});
    open.push({ close: () => socket.destroy() });
    socket.write(frame(frameType.settings, 0, 0));
    let rest: Buffer = Buffer.alloc(0);
    let greeted = false;
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      if (!greeted && rest.length < 24) return;
      if (!greeted) rest = rest.subarray(24);
      greeted = true;
      while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
        const [type, flags, stream] = [rest.readUInt8(3), rest.readUInt8(4), rest.readUInt32BE(5)];
        rest = rest.subarray(9 + rest.readUIntBE(0, 3));
        if (type === frameType.settings && flags === 0) socket.write(frame(frameType.settings, 1, 0));
        if (type === frameType.headers) onRequest(socket, stream);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push({ close: () => server.close() });
  return (server.address() as AddressInfo).port;
}

const okHead = (stream: number, flags = 4): Buffer =>
  frame(frameType.headers, flags, stream, headerBlock([[':status', '200']]));

interface Client {
  readonly connector: Http2Connector;
  /** Moves the wheel's time. */
  pass(ms: number): void;
}

function client(): Client {
  let now = 0;
  const wheel = new TimerWheel(100, () => now);
  const connector = new Http2Connector(checkedLookup(true), wheel);
  open.push({
    close: () => {
      connector.close();
      wheel.close();
    },
  });
  return {
    connector,
    pass(ms) {
      for (const end = now + ms; now < end; now += 100) wheel.advance();
      wheel.advance();
    },
  };
}

const get: UpstreamRequest = {
  method: 'GET',
  authority: 'foo.com',
  scheme: 'http',
  target: '/a?b',
  fields: headerFieldsOf(['X-One', '1', 'x-one', '2']),
  framing: { kind: 'none' },
  upgrade: undefined,
  trailersWanted: false,
};
const post: UpstreamRequest = { ...get, method: 'POST', framing: { kind: 'open' } };

type Outcome =
  | { readonly head: AnswerHead; readonly body: BodySource }
  | { readonly failure: UpstreamFailure; readonly untouched: boolean };

interface Asked {
  readonly exchange: UpstreamExchange;
  readonly sent: Promise<BodySink>;
  readonly outcome: Promise<Outcome>;
  readonly informed: number[];
  onDrain: () => void;
}

function ask(
  { connector }: Client,
  port: number,
  request = get,
  tls?: UpstreamTls,
  deadlines = { connectMs: 5_000, readMs: 60_000, sendMs: 60_000 },
): Asked {
  const sent = Promise.withResolvers<BodySink>();
  const outcome = Promise.withResolvers<Outcome>();
  const informed: number[] = [];
  const target = { endpoint: { address: '127.0.0.1', port }, tls };
  const exchange = connector.open(target, request, deadlines, {
    sent: sent.resolve,
    drained: () => asked.onDrain(),
    informed: status => informed.push(status),
    answered: (head, body) => outcome.resolve({ head, body }),
    upgraded: () => {},
    failed: (failure, untouched) => outcome.resolve({ failure, untouched }),
  });
  const asked: Asked = {
    exchange,
    sent: sent.promise,
    outcome: outcome.promise,
    informed,
    onDrain: () => {},
  };
  return asked;
}

async function answerOf(asked: Asked): Promise<Gathered & { readonly head: AnswerHead }> {
  const outcome = await asked.outcome;
  if (!('head' in outcome)) throw new Error(`no answer: ${outcome.failure.code} ${outcome.failure.message}`);
  const gathered = await new Promise<Gathered>(resolve => outcome.body.pipe(gather(resolve)));
  return { ...gathered, head: outcome.head };
}

async function failureOfAsked(asked: Asked): Promise<[number, string, boolean]> {
  const outcome = await asked.outcome;
  if ('head' in outcome) throw new Error(`answered with ${outcome.head.status}`);
  return [outcome.failure.status, outcome.failure.code, outcome.untouched];
}

function echo(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => {
    stream.respond({ ':status': 200, 'x-path': headers[':path'] ?? '' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(JSON.stringify({ ...headers, body: Buffer.concat(chunks).toString() }));
  });
}

describe('a request to an HTTP/2 upstream', () => {
  it('arrives with its fields, and the answer comes back with its trailers', async () => {
    const { port } = await upstream(echo);
    const answer = await answerOf(ask(client(), port, { ...get, trailersWanted: true }));
    expect(JSON.parse(answer.text)).toMatchObject({
      ':method': 'GET',
      ':scheme': 'http',
      ':authority': 'foo.com',
      ':path': '/a?b',
      'x-one': '1, 2',
      te: 'trailers',
    });
    expect([answer.head.status, answer.head.framing, answer.trailers]).toEqual([
      200,
      { kind: 'open' },
      ['grpc-status: 0'],
    ]);
  });

  it('has its body and trailers, in both framings', async () => {
    const { port } = await upstream(echo);
    const self = client();
    for (const framing of [{ kind: 'open' }, { kind: 'length', length: 5 }] as const) {
      const asked = ask(self, port, { ...post, framing });
      const sink = await asked.sent;
      sink.write(Buffer.from('hel'));
      sink.write(Buffer.from('lo'));
      sink.end(headerFieldsOf(['x-sum', '1']));
      expect(JSON.parse((await answerOf(asked)).text)).toMatchObject({ body: 'hello' });
    }
  });

  it('shares a connection with others, up to what the upstream allows', async () => {
    const held: ServerHttp2Stream[] = [];
    const came = Promise.withResolvers<void>();
    const server = await upstream(stream => {
      held.push(stream);
      if (held.length === 250) came.resolve();
    });
    const self = client();
    const asked = Array.from({ length: 250 }, () => ask(self, server.port));
    await came.promise;
    expect(server.sessions).toHaveLength(3);
    for (const stream of held) stream.respond({ ':status': 204 }, { endStream: true });
    for (const one of asked) expect((await answerOf(one)).head.status).toBe(204);
  });

  it('whose interim answers do not end is given up', async () => {
    let reset = 0;
    const { port } = await upstream(stream => {
      stream.on('close', () => {
        reset = stream.rstCode ?? 0;
      });
      const inform = (): void => {
        if (stream.destroyed || stream.closed) return;
        for (let sent = 0; sent < 50; sent += 1)
          stream.additionalHeaders({ ':status': 103, link: '</a.css>' });
        setImmediate(inform);
      };
      inform();
    });
    const asked = ask(client(), port);
    expect(await failureOfAsked(asked)).toEqual([502, 'EDGE_UPSTREAM_MALFORMED', false]);
    expect(asked.informed).toHaveLength(16);
    await expect.poll(() => reset).toBe(8);
  });

  it('is answered by 103 first, where the upstream sends it', async () => {
    const { port } = await upstream(stream => {
      stream.additionalHeaders({ ':status': 103, link: '</a.css>' });
      stream.respond({ ':status': 200, 'content-length': '2' });
      stream.end('ok');
    });
    const asked = ask(client(), port);
    const answer = await answerOf(asked);
    expect([asked.informed, answer.head.framing, answer.text]).toEqual([
      [103],
      { kind: 'length', length: 2 },
      'ok',
    ]);
  });

  it('by HEAD is answered with the length of what is not sent', async () => {
    const { port } = await upstream(stream =>
      stream.respond({ ':status': 200, 'content-length': '1000' }, { endStream: true }),
    );
    const answer = await answerOf(ask(client(), port, { ...get, method: 'HEAD' }));
    expect([answer.head.framing, answer.text]).toEqual([{ kind: 'length', length: 1_000 }, '']);
  });

  it('bodies go no faster than they are taken, either way', async () => {
    const size = 4_000_000;
    const { port } = await upstream(stream => {
      stream.respond({ ':status': 200 });
      stream.pipe(stream);
    });
    const asked = ask(client(), port, post);
    const sink = await asked.sent;
    const chunk = Buffer.alloc(50_000);
    let written = 0;
    const fill = (): void => {
      while (written < size) {
        written += chunk.length;
        if (!sink.write(chunk)) return;
      }
      sink.end();
    };
    asked.onDrain = fill;
    fill();
    const outcome = await asked.outcome;
    if (!('head' in outcome)) throw new Error(outcome.failure.message);
    expect(written).toBeLessThan(size);
    let taken = 0;
    await new Promise<void>((resolve, reject) =>
      outcome.body.pipe({
        write(part) {
          taken += part.length;
          setImmediate(() => outcome.body.resume());
          return false;
        },
        end: () => resolve(),
        abort: reject,
      }),
    );
    expect(taken).toBe(size);
  });
});

describe('what goes wrong', () => {
  it('nobody listens: untouched', async () => {
    const { port } = await upstream(echo);
    for (const one of open.splice(0)) await one.close();
    expect(await failureOfAsked(ask(client(), port))).toEqual([502, 'ECONNREFUSED', true]);
  });

  it('no connection in time', async () => {
    const self = client();
    // An upstream that takes the TCP connection and never answers the TLS handshake.
    const port = await new Promise<number>(resolve => {
      const server = createTcpServer(() => {}).listen(0, '127.0.0.1', () =>
        resolve((server.address() as AddressInfo).port),
      );
      open.push({ close: () => server.close() });
    });
    const asked = ask(self, port, get, unverified);
    self.pass(6_000);
    expect(await failureOfAsked(asked)).toEqual([504, 'EDGE_UPSTREAM_CONNECT_TIMEOUT', true]);
  });

  it('no answer in time; the connection is not used again where nothing came on it', async () => {
    const server = await upstream(() => {});
    const self = client();
    const asked = ask(self, server.port);
    await asked.sent;
    self.pass(61_000);
    expect(await failureOfAsked(asked)).toEqual([504, 'EDGE_UPSTREAM_READ_TIMEOUT', false]);
  });

  it.each([0, 2, 8])('a stream that is reset with code %s before the answer', async code => {
    const port = await rawUpstream((socket, stream) =>
      socket.write(frame(frameType.rstStream, 0, stream, uint32(code))),
    );
    const [status, , untouched] = await failureOfAsked(ask(client(), port));
    expect([status, untouched]).toEqual([502, false]);
  });

  it('REFUSED_STREAM: untouched', async () => {
    const port = await rawUpstream((socket, stream) =>
      socket.write(frame(frameType.rstStream, 0, stream, uint32(7))),
    );
    expect((await failureOfAsked(ask(client(), port, post)))[2]).toBe(true);
  });

  it('GOAWAY that leaves the stream out: untouched, and a new connection is made', async () => {
    let connections = 0;
    const port = await rawUpstream((socket, stream) => {
      connections += 1;
      if (connections > 1) socket.write(Buffer.concat([okHead(stream), frame(frameType.data, 1, stream)]));
      else socket.write(frame(frameType.goaway, 0, 0, Buffer.concat([uint32(0), uint32(0)])));
    });
    const self = client();
    expect((await failureOfAsked(ask(self, port, post)))[2]).toBe(true);
    expect((await answerOf(ask(self, port))).head.status).toBe(200);
  });

  it('GOAWAY that takes the stream in lets its answer come', async () => {
    const port = await rawUpstream((socket, stream) =>
      socket.write(
        Buffer.concat([
          frame(frameType.goaway, 0, 0, Buffer.concat([uint32(stream), uint32(0)])),
          okHead(stream),
          frame(frameType.data, 1, stream, Buffer.from('ok')),
        ]),
      ),
    );
    expect(await answerOf(ask(client(), port))).toMatchObject({ text: 'ok', aborted: false });
  });

  it('GOAWAY with an error: those it left out are untouched, the others are not', async () => {
    const port = await rawUpstream((socket, stream) => {
      if (stream === 3) socket.write(frame(frameType.goaway, 0, 0, Buffer.concat([uint32(1), uint32(11)])));
    });
    const self = client();
    const [first, second] = [ask(self, port, post), ask(self, port, post)];
    expect((await failureOfAsked(first))[2]).toBe(false);
    expect((await failureOfAsked(second))[2]).toBe(true);
  });

  it('a connection that is closed before a byte of the answer: untouched for what can be repeated', async () => {
    const port = await rawUpstream(socket => socket.destroy());
    expect((await failureOfAsked(ask(client(), port)))[2]).toBe(false);
    expect((await failureOfAsked(ask(client(), port, { ...post, framing: { kind: 'none' } })))[2]).toBe(
      false,
    );
  });

  it.each([0, 2, 8])('an answer that is reset with code %s in the middle is aborted', async code => {
    const port = await rawUpstream((socket, stream) =>
      socket.write(
        Buffer.concat([
          okHead(stream),
          frame(frameType.data, 0, stream, Buffer.from('part')),
          frame(frameType.rstStream, 0, stream, uint32(code)),
        ]),
      ),
    );
    expect(await answerOf(ask(client(), port))).toMatchObject({ aborted: true });
  });

  it('an answer whose connection breaks in the middle is aborted', async () => {
    const port = await rawUpstream((socket, stream) => {
      socket.end(Buffer.concat([okHead(stream), frame(frameType.data, 0, stream, Buffer.from('part'))]));
    });
    expect(await answerOf(ask(client(), port))).toMatchObject({ text: 'part', aborted: true });
  });

  it('garbage instead of HTTP/2', async () => {
    const server = createTcpServer(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    open.push({ close: () => server.close() });
    expect((await failureOfAsked(ask(client(), (server.address() as AddressInfo).port)))[0]).toBe(502);
  });

  it('a request that is given up is cancelled, and its body never looks whole', async () => {
    const seen: number[] = [];
    const over = Promise.withResolvers<void>();
    let ends = 0;
    const { port } = await upstream(stream => {
      stream.on('end', () => {
        if (!stream.aborted) ends += 1;
      });
      stream.resume();
      stream.on('close', () => {
        seen.push(stream.rstCode);
        if (seen.length === 2) over.resolve();
      });
      if (seen.length === 0) stream.respond({ ':status': 200 });
    });
    const self = client();
    const asked = ask(self, port, post);
    (await asked.sent).write(Buffer.from('part'));
    await asked.outcome;
    asked.exchange.abort();
    const plain = ask(self, port);
    await plain.outcome;
    plain.exchange.abort();
    await over.promise;
    expect([seen, ends]).toEqual([[8, 8], 1]);
  });
});

const unverified: UpstreamTls = {
  id: 'unverified',
  verify: false,
  verifiedName: 'web.default.svc',
  serverName: 'web.default.svc',
  ca: undefined,
  client: undefined,
  crl: undefined,
  depth: undefined,
  handshake: plainHandshake,
};

describe('over TLS', () => {
  let authority: TestAuthority;
  let verified: UpstreamTls;
  let options: SecureServerOptions;
  beforeAll(async () => {
    authority = await makeAuthority();
    const { chain, key } = await authority.issue(['web.default.svc']);
    options = { cert: chain, key };
    verified = { ...unverified, id: 'verified', verify: true, ca: authority.certificate };
  });

  function report(stream: ServerHttp2Stream): void {
    const socket = stream.session?.socket as TLSSocket;
    stream.respond({ ':status': 200 });
    stream.end(
      JSON.stringify({
        sni: socket.servername,
        version: socket.getProtocol(),
        cipher: socket.getCipher().name,
        client: socket.getPeerCertificate().subject?.['CN'] ?? null,
      }),
    );
  }

  async function askSecurely(
    changes: Partial<UpstreamTls>,
    server: SecureServerOptions = options,
  ): Promise<unknown> {
    const { port } = await upstream(report, server);
    const asked = ask(client(), port, get, { ...verified, ...changes });
    const outcome = await asked.outcome;
    if ('failure' in outcome) return [outcome.failure.code, outcome.failure.verification, outcome.untouched];
    return JSON.parse((await answerOf(asked)).text);
  }

  it('the chain and the name are verified, SNI is sent, and AEAD suites are offered', async () => {
    expect(await askSecurely({})).toMatchObject({ sni: 'web.default.svc', version: 'TLSv1.3', client: null });
    expect(await askSecurely({ verifiedName: 'other.svc' })).toEqual([
      'ERR_TLS_CERT_ALTNAME_INVALID',
      true,
      true,
    ]);
    expect(await askSecurely({ ca: undefined })).toEqual([
      expect.stringMatching(/UNABLE_TO|SELF_SIGNED/),
      true,
      true,
    ]);
    const old = { ...options, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' } as const;
    expect(await askSecurely({}, old)).toEqual([expect.stringContaining('SSL'), false, true]);
  });

  it('versions and suites are those that someone chose', async () => {
    const handshake = {
      ...plainHandshake,
      maxVersion: 'TLSv1.2',
      ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384',
    } as const;
    expect(await askSecurely({ handshake })).toMatchObject({
      version: 'TLSv1.2',
      cipher: 'ECDHE-ECDSA-AES256-GCM-SHA384',
    });
  });

  it('a certificate that was revoked is refused', async () => {
    const { authority: ca, revocationList: crl } = revocation;
    const [good, revoked] = [
      { cert: revocation.goodCertificate, key: revocation.goodKey },
      { cert: revocation.revokedCertificate, key: revocation.revokedKey },
    ];
    expect(await askSecurely({ ca, crl, verifiedName: 'good' }, good)).toMatchObject({ version: 'TLSv1.3' });
    expect(await askSecurely({ ca, crl, verifiedName: 'bad' }, revoked)).toEqual([
      'CERT_REVOKED',
      true,
      true,
    ]);
    // A list that says nothing of the authority is no leave to go without one.
    const other = { ca: authority.certificate, crl };
    expect(await askSecurely(other)).toEqual(['UNABLE_TO_GET_CRL', true, true]);
  });

  it('a client certificate is shown', async () => {
    const { chain, key } = await authority.issue(['edge-client']);
    const server = { ...options, ca: authority.certificate, requestCert: true, rejectUnauthorized: true };
    const own = { certificate: chain, key: new PrivateMaterial(key) };
    expect(await askSecurely({ client: own }, server)).toMatchObject({ client: 'edge-client' });
  });

  it.each([['http/1.1'], []])(
    'an upstream that does not choose h2 gets nothing (%s)',
    async (...protocols) => {
      let received = 0;
      const named = protocols.filter(protocol => protocol !== undefined);
      const server = createTlsServer(
        { ...options, ...(named.length === 0 ? {} : { ALPNProtocols: named }) },
        socket => {
          socket.on('error', () => {});
          socket.on('data', chunk => {
            received += chunk.length;
          });
        },
      );
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      open.push({ close: () => server.close() });
      const failure = await failureOfAsked(
        ask(client(), (server.address() as AddressInfo).port, get, verified),
      );
      expect(failure).toEqual([
        502,
        expect.stringMatching(/EDGE_UPSTREAM_NO_HTTP2|NO_APPLICATION_PROTOCOL/),
        true,
      ]);
      expect(received).toBe(0);
    },
  );

  it('a CA that does not load is 503, and nothing is sent', async () => {
    expect(await askSecurely({ ca: 'no PEM', crl: 'no PEM either' })).toEqual([
      'EDGE_UPSTREAM_TLS_INVALID',
      true,
      true,
    ]);
  });

  it('a changed Secret starts new connections, and lets the old ones end their requests', async () => {
    const held: ServerHttp2Stream[] = [];
    const both = Promise.withResolvers<void>();
    const server = await upstream(stream => {
      held.push(stream);
      if (held.length === 2) both.resolve();
    }, options);
    const self = client();
    const before = ask(self, server.port, get, verified);
    await before.sent;
    self.connector.keep(new Set(['renewed']));
    const after = ask(self, server.port, get, { ...verified, id: 'renewed' });
    await both.promise;
    expect(server.sessions).toHaveLength(2);
    for (const stream of held) stream.respond({ ':status': 204 }, { endStream: true });
    expect([(await answerOf(before)).head.status, (await answerOf(after)).head.status]).toEqual([204, 204]);
  });
});
