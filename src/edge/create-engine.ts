import { createServer, type Server, type Socket } from 'node:net';
import { Acceptor } from './accept/acceptor.ts';
import type { RoutingTable } from './compile/table.ts';
import type { Engine, EngineAddresses, EngineParts } from './engine.ts';
import { type ListenAddress, listenError } from './listen-address.ts';
import { AddressRanges } from './policy/address-ranges.ts';
import type { ServingParts } from './protocol-server.ts';
import { createServing } from './serving.ts';
import { createContextStore } from './tls/context-store.ts';
import { TlsTerminator } from './tls/tls-terminator.ts';

/** The engine: listeners, what is done with each connection, and the servers of the protocols. */
export function createEngine(parts: EngineParts): Engine {
  const { settings, table, metrics, logger, clock } = parts;
  const listeners = new Set<(table: RoutingTable) => void>();
  const serving: ServingParts = {
    ...settings,
    table,
    onTable: listener => void listeners.add(listener),
    upstreamFailed(route, backend, failure) {
      metrics.upstreamError(route, failure.code);
      parts.upstreamFailed(route, backend, failure);
    },
    metrics,
    accessLog: parts.accessLog,
    logger,
  };
  const contexts = createContextStore({
    table,
    settings: settings.tls,
    protocols: ['h2', 'http/1.1'],
    fallback: parts.fallback,
    onUnusable: (certificate, reason) =>
      logger.warn('a certificate cannot be served; the default certificate stands in', {
        secret: certificate.secret,
        reason,
      }),
  });
  const tls = new TlsTerminator({ table, contexts, ticketKeys: parts.ticketKeys, logger, clock });
  const served = createServing(serving);
  const { http1, http2 } = served;
  const acceptor = new Acceptor({
    ...settings,
    table,
    starting: () => parts.starting(),
    handshakeMs: settings.timeouts.handshakeMs,
    trusted: new AddressRanges(settings.policy.trustedRanges),
    tls,
    http1,
    http2,
    metrics,
    logger,
    clock,
  });
  const servers: Server[] = [];
  let accepted = 0;

  const bind = async (
    address: ListenAddress | undefined,
    secure: boolean,
    reusePort: boolean,
  ): Promise<ListenAddress | undefined> => {
    if (address === undefined) return undefined;
    const server = createServer({ noDelay: true }, socket => {
      accepted += 1;
      acceptor.accept(socket, secure);
    });
    servers.push(server);
    const port = await listenOn(server, address, reusePort);
    return { host: address.host, port };
  };

  return {
    async listen(addresses, shared): Promise<EngineAddresses> {
      try {
        return {
          http: await bind(addresses.http, false, shared),
          https: await bind(addresses.https, true, shared),
        };
      } catch (error) {
        for (const server of servers) server.close();
        throw error;
      }
    },
    adopt: (socket: Socket, secure) => acceptor.accept(socket, secure),
    tableChanged() {
      tls.tableChanged();
      for (const listener of listeners) listener(table());
    },
    setTicketKeys: keys => tls.setTicketKeys(keys),
    async stop(drainMs) {
      http1.drain(drainMs);
      http2.drain(drainMs);
      // What the system has accepted for a listener that closes is lost, and a round of events takes one connection of it.
      let before = -1;
      for (let rounds = 0; rounds < backlog && before < accepted; rounds += 1) {
        before = accepted;
        await oneRound();
      }
      for (const server of servers) server.close();
      acceptor.drain();
      const deadline = setTimeout(() => acceptor.close(), drainMs);
      await acceptor.empty();
      clearTimeout(deadline);
      served.close();
    },
  };
}

/** Resolves when the event loop has looked at its sockets once. */
function oneRound(): Promise<void> {
  return new Promise(resolve => setImmediate(() => setImmediate(resolve)));
}

/** Resolves with the port. Rejects with EDGE_LISTEN_FAILED. */
async function listenOn(server: Server, address: ListenAddress, reusePort: boolean): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(listenError(address, error)));
    server.listen(
      {
        port: address.port,
        ...(address.host === undefined ? {} : { host: address.host }),
        ...(reusePort ? { reusePort } : {}),
        backlog,
      },
      resolve,
    );
  });
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : address.port;
}

/** The system's own limit (net.core.somaxconn) counts where it is lower. */
const backlog = 4_096;
