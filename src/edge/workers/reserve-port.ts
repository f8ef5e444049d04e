import { createServer, type Server, type Socket } from 'node:net';
import { type ListenAddress, listenError } from '../listen-address.ts';

/**
 * Finds out whether an address can be listened on, and which port it is. Listeners that share a port do not notice others
 * that share it too: another Postern would take half of the connections. So the address is first taken for us alone, which
 * fails where anybody listens. Rejects with EDGE_LISTEN_FAILED.
 */
export async function reservePort(address: ListenAddress): Promise<ListenAddress> {
  const server = createServer(socket => socket.destroy());
  const port = await listen(server, address, false);
  await new Promise(resolve => server.close(resolve));
  return { host: address.host, port };
}

/** Whether the system divides connections among processes that listen at one address. */
export async function canSharePorts(address: ListenAddress): Promise<boolean> {
  const server = createServer(socket => socket.destroy());
  try {
    await listen(server, { host: address.host, port: 0 }, true);
    return true;
  } catch {
    return false;
  } finally {
    await new Promise(resolve => server.close(resolve));
  }
}

/** Listens for others, who are given each connection before anything is read of it. Rejects with EDGE_LISTEN_FAILED. */
export async function listenForOthers(
  address: ListenAddress,
  give: (socket: Socket) => void,
): Promise<{ readonly server: Server; readonly address: ListenAddress }> {
  const server = createServer({ pauseOnConnect: true, noDelay: true }, give);
  const port = await listen(server, address, false);
  return { server, address: { host: address.host, port } };
}

async function listen(server: Server, address: ListenAddress, reusePort: boolean): Promise<number> {
  const { host, port } = address;
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(listenError(address, error)));
    const where = { port, ...(host === undefined ? {} : { host }), ...(reusePort ? { reusePort } : {}) };
    server.listen(where, resolve);
  });
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : port;
}
