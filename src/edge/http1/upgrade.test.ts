import { createServer } from 'node:http';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { makeAuthority, type TestAuthority } from '../certificates.testing.ts';
import { sendRaw } from '../clients.testing.ts';
import { anIngress, aSecret } from '../compile/builders.testing.ts';
import { loopbackService, startTestEdge, type TestEdge } from '../edge.testing.ts';
import type { EdgeConfig } from '../options.ts';
import { startUpstream, type TestUpstream } from '../upstreams.testing.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(one => one.close()));
});

let authority: TestAuthority;
beforeAll(async () => {
  authority = await makeAuthority();
});

/** An upstream that sends each message back, and greets in the first packet after its 101. */
async function echoUpstream(tls?: {
  cert: string;
  key: string;
}): Promise<TestUpstream & { readonly sockets: WebSocketServer }> {
  const upstream = await startUpstream(undefined, tls);
  const sockets = new WebSocketServer({ server: upstream.server, path: '/ws' });
  sockets.on('connection', (socket, request) => {
    socket.send(
      `hello ${String(request.headers['x-forwarded-proto'])} ${String(request.headers['x-forwarded-for'])}`,
    );
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  open.push(upstream);
  return { ...upstream, sockets };
}

async function edgeBefore(
  upstream: TestUpstream,
  annotations: Record<string, string> = {},
  config: EdgeConfig = {},
): Promise<TestEdge> {
  const ingress = anIngress({
    rules: { 'foo.com': [['/', 'Prefix']] },
    annotations: Object.fromEntries(
      Object.entries(annotations).map(([name, value]) => [`nginx.ingress.kubernetes.io/${name}`, value]),
    ),
  });
  const secret = aSecret('up', { 'ca.crt': authority.certificate });
  const started = await startTestEdge([ingress, secret, ...loopbackService('web', upstream.port)], {
    drainMs: 200,
    ...config,
  });
  open.push({ close: () => started.edge.stop() });
  return started;
}

function connect(edge: TestEdge, secure: boolean): WebSocket {
  const url = secure ? `wss://127.0.0.1:${edge.httpsPort}/ws` : `ws://127.0.0.1:${edge.httpPort}/ws`;
  return new WebSocket(url, {
    headers: { host: 'foo.com' },
    rejectUnauthorized: false,
  });
}

function nextMessage(socket: WebSocket): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once('message', data => resolve((data as Buffer).toString()));
    socket.once('error', reject);
  });
}

describe('WebSocket', () => {
  it.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])('client over TLS %s, upstream over TLS %s', async (secure, secureUpstream) => {
    const { chain, key } = await authority.issue(['web.default.svc']);
    const upstream = await echoUpstream(secureUpstream ? { cert: chain, key } : undefined);
    const edge = await edgeBefore(
      upstream,
      secureUpstream ? { 'backend-protocol': 'HTTPS', 'proxy-ssl-secret': 'up' } : {},
    );
    const socket = connect(edge, secure);
    expect(await nextMessage(socket)).toBe(`hello ${secure ? 'https' : 'http'} 127.0.0.1`);
    const large = 'x'.repeat(300_000);
    socket.send(large);
    expect(await nextMessage(socket)).toBe(large);
    const closed = new Promise<number>(resolve => socket.once('close', resolve));
    socket.close(1000);
    expect(await closed).toBe(1000);
  });

  it('an upstream that closes, closes the client', async () => {
    const upstream = await echoUpstream();
    const socket = connect(await edgeBefore(upstream), false);
    await nextMessage(socket);
    const closed = new Promise<number>(resolve => socket.once('close', resolve));
    for (const client of upstream.sockets.clients) client.terminate();
    expect(await closed).toBe(1006);
  });

  it('a client that goes, frees the upstream', async () => {
    const upstream = await echoUpstream();
    const socket = connect(await edgeBefore(upstream), false);
    await nextMessage(socket);
    socket.terminate();
    await expect
      .poll(() => new Promise(resolve => upstream.server.getConnections((_error, count) => resolve(count))))
      .toBe(0);
  });

  it('an upstream that does not agree: its answer is passed on', async () => {
    const server = await startUpstream();
    server.server.on('upgrade', (_request, socket) => {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\nX-Why: no\r\n\r\nnope');
    });
    open.push(server);
    const edge = await edgeBefore(server);
    const raw = await sendRaw(
      edge.httpPort,
      'GET /ws HTTP/1.1\r\nHost: foo.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    expect(raw).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n[^]*X-Why: no\r\n[^]*Connection: close\r\n\r\nnope$/);
  });

  it('without a route it is 404, and without an upstream 502', async () => {
    const upstream = createServer();
    const edge = await edgeBefore({ port: 1, server: upstream, close: async () => {} });
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    expect(await sendRaw(edge.httpPort, `GET /ws HTTP/1.1\r\nHost: bar.com\r\n${upgrade}`)).toMatch(
      /^HTTP\/1\.1 404 /,
    );
    expect(await sendRaw(edge.httpPort, `GET /ws HTTP/1.1\r\nHost: foo.com\r\n${upgrade}`)).toMatch(
      /^HTTP\/1\.1 502 /,
    );
  });

  it('goes on while either side sends, and is closed once neither does', async () => {
    const upstream = await echoUpstream();
    const edge = await edgeBefore(upstream, {}, { timeouts: { tunnelMs: 600 } });
    const socket = connect(edge, false);
    await nextMessage(socket);
    const closed = new Promise<number>(resolve => socket.once('close', resolve));
    for (const side of [...upstream.sockets.clients, socket]) {
      for (let sent = 0; sent < 10; sent += 1) {
        await new Promise(resolve => setTimeout(resolve, 100));
        // A pong is not answered.
        side.pong();
      }
    }
    expect(socket.readyState).toBe(WebSocket.OPEN);
    expect(await closed).toBe(1006);
  });

  it('a stop waits for it, then cuts it', async () => {
    const upstream = await echoUpstream();
    const edge = await edgeBefore(upstream);
    const socket = connect(edge, true);
    await nextMessage(socket);
    const closed = new Promise<number>(resolve => socket.once('close', resolve));
    await edge.edge.stop();
    expect(await closed).toBe(1006);
  });
});
