import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { noEdgeMeasurements } from '../../runtime/edge-measurements.ts';
import { makeAuthority, type TestAuthority } from '../certificates.testing.ts';
import { certificateOf, send, sessionOf } from '../clients.testing.ts';
import { anIngress, aSecret } from '../compile/builders.testing.ts';
import { loopbackService, startTestEdge, type TestEdge } from '../edge.testing.ts';
import type { EdgeConfig } from '../options.ts';
import { startUpstream } from '../upstreams.testing.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(one => one.close()));
});

let authority: TestAuthority;
beforeAll(async () => {
  authority = await makeAuthority();
});

/** Processes take their time to start, on a machine that has other work. */
const patience = { timeout: 20_000, interval: 20 };
vi.setConfig({ testTimeout: 60_000 });

interface WorkerEdge extends TestEdge {
  /** Handshakes that each worker has told of: whether the session was resumed. */
  readonly handshakes: { worker: number; resumed: boolean }[];
  /** Process ids, the latest last. */
  pids(): number[];
}

type Answer = () => string | Promise<string>;

const upstreamOf = (answer: Answer) =>
  startUpstream((_request, response) => void Promise.resolve(answer()).then(text => response.end(text)));

async function edgeOf(
  config: EdgeConfig = {},
  { sharePorts, answer = () => 'hello' }: { sharePorts?: boolean; answer?: Answer } = {},
): Promise<WorkerEdge> {
  const upstream = await upstreamOf(answer);
  const { chain, key } = await authority.issue(['foo.com']);
  const handshakes: WorkerEdge['handshakes'] = [];
  const started = await startTestEdge(
    [
      ...loopbackService('web', upstream.port),
      anIngress({
        rules: { 'foo.com': [['/', 'Prefix']] },
        tls: [{ hosts: ['foo.com'], secretName: 'foo' }],
        annotations: { 'nginx.ingress.kubernetes.io/ssl-redirect': 'false' },
      }),
      aSecret('foo', { 'tls.crt': chain, 'tls.key': key }),
    ],
    { workers: 2, ...config },
    {
      sharePorts,
      measurements: {
        ...noEdgeMeasurements,
        counted: (worker, delta) => {
          for (const [facts, count] of delta.handshakes)
            for (let at = 0; at < count; at += 1)
              handshakes.push({ worker, resumed: facts.endsWith('\ttrue') });
        },
      },
    },
  );
  open.push({ close: () => started.edge.stop() }, upstream);
  const pids = (): number[] =>
    started.logs
      .filter(({ message }) => message === 'a worker of the edge started')
      .map(({ fields }) => Number(fields?.['pid']));
  return { ...started, handshakes, pids };
}

/** A connection that has sent nothing yet, and the text it gets. */
async function idleConnection(port: number): Promise<Socket> {
  const socket = connectTcp(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

describe('worker processes', () => {
  it.runIf(process.platform === 'linux')(
    'are told not to make objects of requests among the old',
    async () => {
      const edge = await edgeOf();
      for (const pid of edge.pids()) {
        const command = await readFile(`/proc/${pid}/cmdline`, 'utf8');
        expect(command.split('\0')).toContain('--no-allocation-site-pretenuring');
      }
    },
  );

  it('serve, and one that is killed loses what it held alone, and is replaced', async () => {
    const edge = await edgeOf();
    const [first = 0, second = 0] = edge.pids();
    expect(edge.edge.problem()).toBeUndefined();
    // Connections that live on, some in each worker.
    const sockets = await Promise.all(Array.from({ length: 24 }, () => idleConnection(edge.httpPort)));
    const answers = await Promise.all(sockets.map(socket => ask(socket)));
    expect(new Set(answers)).toEqual(new Set(['200']));
    process.kill(first, 'SIGKILL');
    await expect.poll(() => edge.pids().length, patience).toBe(3);
    await expect.poll(() => edge.edge.problem(), patience).toBeUndefined();
    const held = sockets.filter(socket => socket.closed || socket.readableEnded).length;
    expect(held).toBeGreaterThan(0);
    expect(held).toBeLessThan(sockets.length);
    const living = sockets.filter(socket => !socket.closed && !socket.readableEnded);
    expect(new Set(await Promise.all(living.map(socket => ask(socket))))).toEqual(new Set(['200']));
    for (const socket of sockets) socket.destroy();
    const fresh = await Promise.all(
      Array.from({ length: 24 }, () => send({ port: edge.httpPort }).then(({ status }) => status)),
    );
    expect(new Set(fresh)).toEqual(new Set([200]));
    expect(() => process.kill(second, 0)).not.toThrow();
  });

  it('one that hangs is replaced, and the others serve on', async () => {
    const edge = await edgeOf({ workerSilenceMs: 3_000 });
    const [first = 0, second = 0] = edge.pids();
    const sockets = await Promise.all(Array.from({ length: 24 }, () => idleConnection(edge.httpPort)));
    await Promise.all(sockets.map(socket => ask(socket)));
    process.kill(first, 'SIGSTOP');
    const waiting = sockets.map(socket => ask(socket).catch(() => 'closed'));
    // Served by the one that is left, while nobody knows yet.
    expect(await Promise.any(waiting)).toBe('200');
    await expect.poll(() => edge.pids().length, patience).toBe(3);
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['200', 'closed']));
    expect(edge.logs.filter(({ message }) => message.includes('does not answer'))).toMatchObject([
      { level: 'error', fields: { worker: 1, pid: first } },
    ]);
    await expect.poll(() => edge.edge.problem(), patience).toBeUndefined();
    for (const socket of sockets) socket.destroy();
    const fresh = await Promise.all(
      Array.from({ length: 24 }, () => send({ port: edge.httpPort }).then(({ status }) => status)),
    );
    expect(new Set(fresh)).toEqual(new Set([200]));
    expect(() => process.kill(second, 0)).not.toThrow();
    expect(() => process.kill(first, 0)).toThrow('ESRCH');
  });

  it('all follow a change, and a session of one is resumed by the other', async () => {
    const edge = await edgeOf();
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const session = await sessionOf(edge.httpsPort, version);
      const resumed: boolean[] = [];
      for (let round = 0; round < 16; round += 1)
        resumed.push((await sessionOf(edge.httpsPort, version, session.session)).resumed);
      expect(resumed).not.toContain(false);
    }
    await expect.poll(() => edge.handshakes.length, patience).toBe(34);
    expect(new Set(edge.handshakes.map(({ worker }) => worker))).toEqual(new Set([1, 2]));
    const { chain, key } = await authority.issue(['foo.com', 'second.com']);
    const before = edge.edge.table();
    edge.apply(aSecret('foo', { 'tls.crt': chain, 'tls.key': key }));
    await edge.until(() => edge.edge.table() !== before);
    const names = (): Promise<(string | undefined)[]> =>
      Promise.all(
        Array.from({ length: 16 }, () =>
          certificateOf(edge.httpsPort, 'foo.com').then(({ subjectaltname }) => subjectaltname),
        ),
      );
    await expect
      .poll(async () => [...new Set(await names())], patience)
      .toEqual([expect.stringContaining('second.com')]);
  });

  it('drain when they are stopped: a request under way ends, and no process is left', async () => {
    const { promise: answer, resolve: release } = Promise.withResolvers<string>();
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    const edge = await edgeOf({}, { answer: () => (reach(), answer) });
    const underWay = send({ port: edge.httpPort });
    await reached;
    const stopped = edge.edge.stop();
    release('done');
    expect(await underWay).toMatchObject({ status: 200, body: 'done' });
    await stopped;
    for (const pid of edge.pids()) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('are given their connections where the system cannot share a port', async () => {
    const edge = await edgeOf({}, { sharePorts: false });
    const statuses = await Promise.all(
      Array.from({ length: 8 }, () => send({ port: edge.httpsPort, tls: {} }).then(({ status }) => status)),
    );
    expect(statuses).toEqual(Array(8).fill(200));
    expect((await send({ port: edge.httpPort })).status).toBe(200);
    await expect.poll(() => new Set(edge.handshakes.map(({ worker }) => worker)).size, patience).toBe(2);
  });

  it('write to one access log, and a port that is taken is named before they start', async () => {
    const edge = await edgeOf({ accessLog: { kind: 'text', template: '$request_method $uri $status' } });
    await Promise.all(['/a', '/b', '/c'].map(path => send({ port: edge.httpPort, path })));
    await expect
      .poll(() => [...edge.accessLog].sort(), patience)
      .toEqual(['GET /a 200', 'GET /b 200', 'GET /c 200']);
    // A second edge on the port of the first: they would share it silently.
    await expect(
      startTestEdge([], { workers: 1, httpListen: edge.edge.httpAddress ?? '' }),
    ).rejects.toMatchObject({ code: 'EDGE_LISTEN_FAILED' });
    const taken = createServer();
    await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(startTestEdge([], { workers: 1, httpListen: `127.0.0.1:${port}` })).rejects.toMatchObject({
      code: 'EDGE_LISTEN_FAILED',
      message: `the edge cannot listen on 127.0.0.1:${port}: another program listens there`,
    });
    await new Promise(resolve => taken.close(resolve));
  });
});

/** Sends a request on a connection, and gives the status. */
function ask(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1').slice(9, 12)));
    socket.once('close', () => reject(new Error('closed')));
    socket.write('GET / HTTP/1.1\r\nHost: foo.com\r\n\r\n');
  });
}
