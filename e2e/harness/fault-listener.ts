import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { freePort } from './free-port.ts';
import type { Identity } from './test-authority.ts';

/** The HTTPS server of a fault proxy: it can go away, and come back at the same address. */
export interface FaultListener {
  /** `host:port`. */
  readonly address: string;
  /** Resets every connection and refuses new ones. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts it. A listener that fails, answers by cutting the connection. */
export async function startFaultListener(options: {
  readonly host: string;
  readonly identity: Identity;
  readonly answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}): Promise<FaultListener> {
  const { host, identity, answer } = options;
  const sockets = new Set<Socket>();
  const server = createServer({ cert: identity.certPem, key: identity.keyPem }, (request, response) => {
    answer(request, response).catch(() => request.socket.destroy());
  });
  server.requestTimeout = 0; // watches, and connections that are left hanging on purpose
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}); // the other side may go first
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => {});
  const port = await freePort(host);
  const listen = () =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        resolve();
      });
    });
  const goAway = async () => {
    if (!server.listening) return;
    const closed = new Promise<void>(resolve => server.close(() => resolve()));
    for (const socket of sockets) socket.resetAndDestroy();
    await closed;
  };
  await listen();
  return {
    address: `${host}:${(server.address() as AddressInfo).port}`,
    goAway,
    comeBack: listen,
    stop: goAway,
  };
}
