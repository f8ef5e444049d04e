import { type AddressInfo, createServer, type Socket } from 'node:net';

/** What an upstream does for the last element of a path; the connection is its own to close. */
const deeds: Readonly<Record<string, (socket: Socket) => void>> = {
  'says-too-much': socket => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello'),
  'says-too-little': socket =>
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n\r\nevil'),
  stalls: socket => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello'),
  'is-silent': () => {},
  garbage: socket => socket.end(Buffer.from(Array.from({ length: 5_000 }, (_, at) => (at * 7 + 13) % 256))),
  'closes-at-once': socket => socket.destroy(),
  'closes-in-the-head': socket => socket.end('HTTP/1.1 200 OK\r\nContent-Le'),
  'closes-in-a-chunk': socket =>
    socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhello'),
  'head-without-end': socket =>
    forever(socket, 'HTTP/1.1 200 OK\r\n', 'X-More: '.padEnd(1_000, 'x') + '\r\n'),
  'line-without-end': socket => forever(socket, 'HTTP/1.1 200 OK\r\nX: ', 'x'.repeat(1_000)),
  'interims-without-end': socket => forever(socket, '', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'),
  'trailers-without-end': socket =>
    forever(
      socket,
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n',
      'X-More: '.padEnd(1_000, 'x') + '\r\n',
    ),
  'chunk-size-without-end': socket =>
    forever(socket, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '0'.repeat(1_000)),
};

/** The bad deeds there are. */
export const badDeeds = Object.keys(deeds);

/** At most this much is sent of what has no end. */
const forHowLong = 64 * 1_048_576;

function forever(socket: Socket, first: string, more: string): void {
  socket.write(first);
  const piece = Buffer.from(more.repeat(Math.ceil(16_384 / more.length)), 'latin1');
  let left = forHowLong;
  const send = (): void => {
    while (left > 0 && !socket.destroyed) {
      left -= piece.length;
      if (!socket.write(piece)) return;
    }
  };
  socket.on('drain', send);
  send();
}

export interface BadUpstream {
  readonly port: number;
  /** Connections that are open. */
  open(): number;
  close(): Promise<void>;
}

/** An upstream that does what the path asks for, whatever harm that is. */
export async function startBadUpstream(): Promise<BadUpstream> {
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      const name = /^GET \/bad\/([a-z-]+) /.exec(chunk.toString('latin1'))?.[1] ?? '';
      deeds[name]?.(socket);
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    open: () => sockets.size,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
