import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { Identity } from './test-authority.ts';

/** What an upstream saw of a request, which is also its answer, as JSON. */
export interface SeenRequest {
  readonly upstream: string;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly secure: boolean;
}

export interface Upstream {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Starts an upstream that answers every request with what it saw, and every WebSocket message with its own name and that
 * message; over TLS where it is given an identity.
 */
export async function startUpstream(options: {
  readonly name: string;
  readonly address: string;
  /** 0: one that is free. */
  readonly port: number;
  readonly identity?: Identity;
}): Promise<Upstream> {
  const { name, address, port, identity } = options;
  const answer = (request: IncomingMessage): string => {
    const { method = '', url: path = '', headers } = request;
    const seen: SeenRequest = { upstream: name, method, path, headers, secure: identity !== undefined };
    return JSON.stringify(seen);
  };
  const server: Server =
    identity === undefined
      ? createHttpServer((request, response) => response.end(answer(request)))
      : createHttpsServer({ cert: identity.certPem, key: identity.keyPem }, (request, response) =>
          response.end(answer(request)),
        );
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', socket => {
    socket.on('message', (data: Buffer) => socket.send(`${name}: ${data.toString()}`));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    stop() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      return new Promise(resolve => server.close(() => resolve()));
    },
  };
}
