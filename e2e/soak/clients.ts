import { connect as connectHttp2 } from 'node:http2';
import { Agent, request } from 'node:https';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { Outcomes } from './outcomes.ts';

export interface SoakTarget {
  readonly port: number;
  readonly host: string;
  readonly ca: string;
}

/** A client that goes on until it is told to stop. */
export type Client = (target: SoakTarget, outcomes: Outcomes, over: AbortSignal) => Promise<void>;

const pauseMs = 5;
const patienceMs = 10_000;
const sizes = [100, 1_024, 65_536, 300_000];
const upload = Buffer.alloc(200_000, 'u');

/** When the connections of this process were begun, by socket. */
const connectedAt = new WeakMap<Socket, number>();

function once(
  target: SoakTarget,
  outcomes: Outcomes,
  kind: string,
  options: {
    readonly agent: Agent | false;
    readonly path: string;
    readonly body?: Buffer;
    readonly expected: string | number;
  },
): Promise<void> {
  const { agent, path, body, expected } = options;
  return new Promise(resolve => {
    const startedMs = performance.now();
    let socket: Socket | undefined;
    let isOver = false;
    const fail = (why: string): void => {
      if (isOver) return;
      isOver = true;
      outcomes.failed({
        kind,
        why,
        localPort: socket?.localPort ?? ports.get(socket) ?? 0,
        connectedMs: (socket && connectedAt.get(socket)) ?? startedMs,
        atMs: performance.now(),
      });
      resolve();
    };
    const ports = new Map<Socket | undefined, number>();
    const sent = request(
      {
        host: '127.0.0.1',
        port: target.port,
        servername: target.host,
        ca: target.ca,
        path,
        method: body === undefined ? 'GET' : 'POST',
        headers: { host: target.host, ...(body && { 'content-length': body.length }) },
        agent,
        signal: AbortSignal.timeout(patienceMs),
      },
      response => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', error => fail(`in the body: ${error.message}`));
        response.on('end', () => {
          const text = Buffer.concat(chunks);
          const isRight =
            typeof expected === 'number' ? text.length === expected : text.toString() === expected;
          if (response.statusCode !== 200 || !isRight) {
            fail(`status ${response.statusCode}, ${text.length} bytes`);
            return;
          }
          if (isOver) return;
          isOver = true;
          outcomes.succeeded(kind, performance.now() - startedMs);
          resolve();
        });
      },
    );
    sent.on('socket', its => {
      socket = its;
      if (!connectedAt.has(its)) connectedAt.set(its, performance.now());
      // A socket that has ended knows its port no more.
      const note = (): void => void ports.set(its, its.localPort ?? 0);
      if (its.connecting) its.once('connect', note);
      else note();
    });
    sent.on('error', error => fail(error.message));
    sent.end(body);
  });
}

/** HTTP/1.1 on connections that are kept. */
export const keepAlive: Client = async (target, outcomes, over) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let at = 0; !over.aborted; at += 1) {
    const bytes = sizes[at % sizes.length] ?? 0;
    await once(target, outcomes, 'keep-alive', { agent, path: `/?bytes=${bytes}`, expected: bytes });
    await sleep(pauseMs);
  }
  agent.destroy();
};

/** A connection for each request. */
export const newConnections: Client = async (target, outcomes, over) => {
  while (!over.aborted) {
    await once(target, outcomes, 'new connection', { agent: false, path: '/?bytes=100', expected: 100 });
    await sleep(pauseMs * 4);
  }
};

/** Bodies of 200 KB. */
export const uploads: Client = async (target, outcomes, over) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  while (!over.aborted) {
    await once(target, outcomes, 'upload', {
      agent,
      path: '/',
      body: upload,
      expected: String(upload.length),
    });
    await sleep(pauseMs * 4);
  }
  agent.destroy();
};

/** HTTP/2: some requests at a time on one connection, as long as that lives. */
export const http2: Client = async (target, outcomes, over) => {
  while (!over.aborted) {
    const connectedMs = performance.now();
    const session = connectHttp2(`https://127.0.0.1:${target.port}`, {
      ca: target.ca,
      servername: target.host,
    });
    let localPort = 0;
    session.on('error', () => {});
    session.once('connect', (_session, socket) => (localPort = socket.localPort ?? 0));
    const ask = (bytes: number): Promise<void> =>
      new Promise(resolve => {
        const startedMs = performance.now();
        const stream = session.request({ ':path': `/?bytes=${bytes}`, ':authority': target.host });
        let status = 0;
        let length = 0;
        let why = '';
        stream.on('response', fields => (status = fields[':status'] ?? 0));
        stream.on('data', (chunk: Buffer) => (length += chunk.length));
        stream.on('error', error => (why = error.message));
        stream.setTimeout(patienceMs, () => stream.destroy(new Error('no answer in time')));
        stream.on('close', () => {
          // Refused while the connection was ending: not processed, and to be sent again (RFC 9113 section 8.7).
          const isRefused = stream.rstCode === 7 && status === 0;
          if (status === 200 && length === bytes) outcomes.succeeded('HTTP/2', performance.now() - startedMs);
          else if (!isRefused)
            outcomes.failed({
              kind: 'HTTP/2',
              why: `status ${status}, ${length} bytes, ${why}, code ${stream.rstCode}`,
              localPort,
              connectedMs,
              atMs: performance.now(),
            });
          resolve();
        });
      });
    while (!over.aborted && !session.closed && !session.destroyed) {
      await Promise.all(sizes.map(ask));
      await sleep(pauseMs);
    }
    session.close();
  }
};

/** Messages there and back on a WebSocket, as long as that lives. */
export const webSocket: Client = async (target, outcomes, over) => {
  while (!over.aborted) {
    const connectedMs = performance.now();
    // Passed on to node:tls, whose options the types of ws do not know all.
    const options = {
      ca: target.ca,
      servername: target.host,
      headers: { host: target.host },
      handshakeTimeout: patienceMs,
    };
    const socket = new WebSocket(`wss://127.0.0.1:${target.port}/`, [], options);
    let localPort = 0;
    let why = '';
    socket.on('upgrade', response => (localPort = response.socket.localPort ?? 0));
    socket.on('error', error => (why = error.message));
    const closed = new Promise<number>(resolve => socket.once('close', resolve));
    const opened = await Promise.race([
      new Promise(resolve => socket.once('open', () => resolve(true))),
      closed,
    ]);
    if (opened !== true) why ||= 'not opened';
    while (!over.aborted && socket.readyState === WebSocket.OPEN) {
      const startedMs = performance.now();
      const answered = new Promise<true>(resolve => socket.once('message', () => resolve(true)));
      socket.send('m'.repeat(1_000));
      if ((await Promise.race([answered, closed])) !== true) break;
      outcomes.succeeded('WebSocket message', performance.now() - startedMs);
      await sleep(pauseMs * 2);
    }
    if (over.aborted) socket.close();
    const code = await closed;
    // 1001: the upstream was told to end, and said so.
    if (!over.aborted && code !== 1001)
      outcomes.failed({
        kind: 'WebSocket',
        why: `code ${code} ${why}`,
        localPort,
        connectedMs,
        atMs: performance.now(),
      });
    await sleep(pauseMs);
  }
};
