import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A client's connection, byte for byte. */
export interface RawClient {
  readonly socket: Socket;
  /** All that came so far. */
  received(): string;
  send(latin1: string): void;
  /** Resolves with all that came once it holds the text, or matches. */
  until(what: string | RegExp): Promise<string>;
  /** Resolves with all that came once the edge has closed, and how: `end` or an error's code. */
  closed(): Promise<{ readonly text: string; readonly how: string }>;
}

/** Connects to a port on loopback. */
export function rawClient(port: number): RawClient {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.setEncoding('latin1');
  let text = '';
  let how = '';
  let closed = false;
  const waiting = new Set<() => void>();
  const look = (): void => waiting.forEach(check => check());
  socket.on('data', (chunk: string) => {
    text += chunk;
    look();
  });
  socket.on('end', () => {
    how ||= 'end';
    socket.end();
    look();
  });
  socket.on('error', (error: Error & { code?: string }) => {
    how ||= error.code ?? error.message;
  });
  socket.on('close', () => {
    closed = true;
    how ||= 'close';
    look();
  });
  const when = (met: () => boolean): Promise<void> =>
    new Promise(resolve => {
      const check = (): void => {
        if (!met()) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
    });
  return {
    socket,
    received: () => text,
    send: latin1 => void socket.write(latin1, 'latin1'),
    async until(what) {
      const met = (): boolean => (typeof what === 'string' ? text.includes(what) : what.test(text));
      await when(() => met() || closed);
      if (!met()) throw new Error(`closed (${how}) after ${JSON.stringify(text)}`);
      return text;
    },
    async closed() {
      await when(() => closed);
      return { text, how };
    },
  };
}

/** A server that is whatever a test makes of it. */
export interface RawUpstream {
  readonly port: number;
  /** Connections that were accepted so far. */
  accepted(): number;
  /** Connections that are open. */
  open(): number;
  close(): Promise<void>;
}

/** Listens on loopback; `serve` is called with each connection, and with each head that comes on it (latin1). */
export async function rawUpstream(
  serve: (socket: Socket, head: string, nth: number) => void,
): Promise<RawUpstream> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  const server = createServer({ allowHalfOpen: true }, socket => {
    accepted += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    let text = '';
    let heads = 0;
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const head = text.slice(0, end + 4);
        text = text.slice(end + 4);
        heads += 1;
        serve(socket, head, heads);
      }
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    accepted: () => accepted,
    open: () => sockets.size,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
