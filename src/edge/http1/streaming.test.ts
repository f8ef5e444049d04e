import { createHash } from 'node:crypto';
import { Agent, type IncomingMessage, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { makeAuthority } from '../certificates.testing.ts';
import { send } from '../clients.testing.ts';
import { anIngress, aSecret } from '../compile/builders.testing.ts';
import { loopbackService, startTestEdge, type TestEdge } from '../edge.testing.ts';
import type { EdgeConfig } from '../options.ts';
import { startUpstream, type TestUpstream } from '../upstreams.testing.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(one => one.close()));
});

async function upstreamWith(...args: Parameters<typeof startUpstream>): Promise<TestUpstream> {
  const upstream = await startUpstream(...args);
  open.push(upstream);
  return upstream;
}

async function edgeBefore(upstream: TestUpstream, config?: EdgeConfig): Promise<TestEdge> {
  const ingress = anIngress({ rules: { 'foo.com': [['/', 'Prefix']] } });
  const started = await startTestEdge([ingress, ...loopbackService('web', upstream.port)], config);
  open.push({ close: () => started.edge.stop() });
  return started;
}

const megabyte = Buffer.alloc(1 << 20, 'x');
function* megabytes(count: number): Generator<Buffer> {
  for (let sent = 0; sent < count; sent += 1) yield megabyte;
}

function openRequest(
  port: number,
  method: string,
): { outgoing: ReturnType<typeof request>; answer: Promise<IncomingMessage> } {
  const outgoing = request({ host: '127.0.0.1', port, method, headers: { host: 'foo.com' } });
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on('response', resolve);
    outgoing.on('error', reject);
  });
  return { outgoing, answer };
}

describe('streaming', () => {
  it('500 MB up and 500 MB down in bounded memory', async () => {
    const upstream = await upstreamWith((incoming, response) => {
      let bytes = 0;
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      incoming.on('end', () => {
        response.setHeader('x-received', String(bytes));
        void pipeline(Readable.from(megabytes(500)), response);
      });
    });
    const { httpPort } = await edgeBefore(upstream, { policy: { bodyBytes: 0 } });
    const { outgoing, answer } = openRequest(httpPort, 'POST');
    let most = process.memoryUsage().rss;
    const before = most;
    await pipeline(Readable.from(megabytes(500)), outgoing);
    const response = await answer;
    let bytes = 0;
    for await (const chunk of response) {
      bytes += (chunk as Buffer).length;
      most = Math.max(most, process.memoryUsage().rss);
    }
    expect([response.headers['x-received'], bytes]).toEqual([String(500 << 20), 500 << 20]);
    // The client and the upstream are in this process too, and leave their garbage; a body held back would be 500.
    expect((most - before) / (1 << 20)).toBeLessThan(250);
  }, 120_000);

  it('a client that does not read holds the upstream back', async () => {
    let written = 0;
    const upstream = await upstreamWith((_incoming, response) => {
      const write = (): void => {
        while (!response.destroyed && response.write(megabyte)) written += 1;
        written += 1;
        response.once('drain', write);
      };
      write();
    });
    const { httpPort } = await edgeBefore(upstream);
    const { outgoing, answer } = openRequest(httpPort, 'GET');
    outgoing.end();
    const response = await answer;
    response.pause();
    // It stands still once all buffers on the way are full.
    let last = -1;
    await expect
      .poll(
        () => {
          const still = written === last;
          last = written;
          return still;
        },
        { interval: 200, timeout: 5_000 },
      )
      .toBe(true);
    expect(written).toBeLessThan(30);
    outgoing.destroy();
  });

  it('parts of an answer arrive as they are sent', async () => {
    const { promise: firstSeen, resolve: sawFirst } = Promise.withResolvers<void>();
    const upstream = await upstreamWith((_incoming, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
      void firstSeen.then(() => response.end('data: 2\n\n'));
    });
    const { httpPort } = await edgeBefore(upstream);
    const { outgoing, answer } = openRequest(httpPort, 'GET');
    outgoing.end();
    let text = '';
    for await (const chunk of await answer) {
      text += String(chunk);
      if (text === 'data: 1\n\n') sawFirst();
    }
    expect(text).toBe('data: 1\n\ndata: 2\n\n');
  });

  it('parts of a body arrive as they are sent', async () => {
    const { promise: firstSeen, resolve: sawFirst } = Promise.withResolvers<void>();
    const upstream = await upstreamWith((incoming, response) => {
      let text = '';
      incoming.on('data', (chunk: Buffer) => {
        text += String(chunk);
        if (text === 'first') sawFirst();
      });
      incoming.on('end', () => response.end(text));
    });
    const { httpPort } = await edgeBefore(upstream);
    const { outgoing, answer } = openRequest(httpPort, 'POST');
    outgoing.write('first');
    await firstSeen;
    outgoing.end(', last');
    let text = '';
    for await (const chunk of await answer) text += String(chunk);
    expect(text).toBe('first, last');
  });

  it('a client that goes away takes the upstream request with it', async () => {
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    const { promise: aborted, resolve: abort } = Promise.withResolvers<void>();
    const upstream = await upstreamWith((_incoming, response) => {
      response.on('close', () => abort());
      reach();
    });
    const { httpPort } = await edgeBefore(upstream);
    const { outgoing, answer } = openRequest(httpPort, 'GET');
    answer.catch(() => {});
    outgoing.end();
    await reached;
    outgoing.destroy();
    await aborted;
  });

  it('an answer before the end of the body is passed on', async () => {
    const upstream = await upstreamWith((_incoming, response) => {
      response.writeHead(413, { connection: 'close' }).end('too large');
    });
    const { httpPort } = await edgeBefore(upstream);
    const { outgoing, answer } = openRequest(httpPort, 'POST');
    outgoing.write('begin');
    expect((await answer).statusCode).toBe(413);
    outgoing.destroy();
  });

  it('connections to the upstream are used again, and a closed one is not a failure', async () => {
    const upstream = await upstreamWith((incoming, response) =>
      response.end(String(incoming.socket.remotePort)),
    );
    const { httpPort } = await edgeBefore(upstream);
    const agent = new Agent({ keepAlive: true });
    const first = await send({ port: httpPort, agent });
    expect((await send({ port: httpPort, agent })).body).toBe(first.body);
    upstream.server.closeIdleConnections();
    const third = await send({ port: httpPort, agent });
    expect(third.status).toBe(200);
    expect(third.body).not.toBe(first.body);
    agent.destroy();
  });
});

describe('stopping', () => {
  it('lets a request under way end, tells its client to close, and takes no new ones', async () => {
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const upstream = await upstreamWith((_incoming, response) => {
      reach();
      void released.then(() => response.end('done'));
    });
    const { httpPort, edge } = await edgeBefore(upstream);
    const agent = new Agent({ keepAlive: true });
    const underWay = send({ port: httpPort, agent });
    await reached;
    const stopped = edge.stop();
    // What comes in the same moment is served still.
    const next = (): Promise<string> => send({ port: httpPort }).then(() => '', String);
    const turnedAway = expect.poll(next).toContain('ECONNREFUSED');
    release();
    await turnedAway;
    expect(await underWay).toMatchObject({ status: 200, body: 'done', headers: { connection: 'close' } });
    await stopped;
    agent.destroy();
  });

  it('closes idle connections, and cuts what does not end by its deadline', async () => {
    const upstream = await upstreamWith((incoming, response) => {
      if (incoming.url === '/idle') response.end();
    });
    const { httpPort, edge } = await edgeBefore(upstream, { drainMs: 100 });
    const agent = new Agent({ keepAlive: true });
    await send({ port: httpPort, path: '/idle', agent });
    const hanging = send({ port: httpPort, path: '/hang' });
    hanging.catch(() => {});
    await expect
      .poll(() => new Promise(resolve => upstream.server.getConnections((_error, count) => resolve(count))))
      .toBe(1);
    await edge.stop();
    await edge.stop();
    await expect(hanging).rejects.toThrow();
    agent.destroy();
  });
});

describe('streaming over TLS', () => {
  it.each([
    ['a length', { 'content-length': String(40 << 20) }],
    ['chunks', {}],
  ])('40 MB up and down on both sides arrive whole, with %s', async (_what, headers) => {
    const authority = await makeAuthority('Upstream CA');
    const { chain, key } = await authority.issue(['web.default.svc']);
    const upstream = await upstreamWith(
      (incoming, response) => {
        response.writeHead(200, headers);
        incoming.pipe(response);
      },
      { cert: chain, key },
    );
    const nginx = 'nginx.ingress.kubernetes.io/';
    const ingress = anIngress({
      rules: { 'foo.com': [['/', 'Prefix']] },
      annotations: { [`${nginx}backend-protocol`]: 'HTTPS', [`${nginx}proxy-ssl-secret`]: 'default/up' },
    });
    const secret = aSecret('up', { 'ca.crt': authority.certificate });
    const started = await startTestEdge([ingress, secret, ...loopbackService('web', upstream.port)], {
      policy: { bodyBytes: 0 },
    });
    open.push({ close: () => started.edge.stop() });
    const outgoing = secureRequest({
      host: '127.0.0.1',
      port: started.httpsPort,
      method: 'POST',
      headers: { host: 'foo.com', ...headers },
      rejectUnauthorized: false,
    });
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.on('response', resolve);
      outgoing.on('error', reject);
    });
    const pattern = Buffer.from(Array.from({ length: 1 << 20 }, (_value, index) => index % 251));
    const [sent, received] = [createHash('sha256'), createHash('sha256')];
    function* body(): Generator<Buffer> {
      for (let round = 0; round < 40; round += 1) {
        sent.update(pattern);
        yield pattern;
      }
    }
    const sending = pipeline(Readable.from(body()), outgoing);
    let bytes = 0;
    for await (const chunk of await answer) {
      received.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
    }
    await sending;
    expect(bytes).toBe(40 << 20);
    expect(received.digest('hex')).toBe(sent.digest('hex'));
  });
});
