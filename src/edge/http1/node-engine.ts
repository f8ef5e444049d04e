import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import { messageOf } from '../../core/errors.ts';
import type { Engine, EngineAddresses, EngineParts } from '../engine.ts';
import { type ListenAddress, listenError } from '../listen-address.ts';
import { serverTlsSettings } from '../tls/sni-store.ts';
import { errorAnswer, sendRawAnswer } from './answers.ts';
import { answerClientError } from './client-error.ts';
import { Connections } from './connections.ts';
import { serveRequest } from './serve-request.ts';
import { serveUpgrade } from './serve-upgrade.ts';

/** How long a connection that has sent nothing may still send its first request while the engine stops. */
const lastRequestMs = 500;

/** The first engine: Node's own HTTP servers and client. */
export function createNodeEngine(parts: EngineParts): Engine {
  const connections = new Connections();
  /** Connections on which no handshake has ended yet are here only. */
  const sockets = new Set<Duplex>();
  let closing = false;

  const options = {
    maxHeaderSize: 32 * 1_024,
    headersTimeout: parts.timeouts.headMs,
    // The time for a whole request is not bounded: uploads may be long. Silence is.
    requestTimeout: 0,
    keepAliveTimeout: parts.timeouts.keepAliveMs,
    connectionsCheckingInterval: Math.min(5_000, parts.timeouts.headMs),
  };

  const prepare = (server: Server, secure: boolean): Server => {
    // The default cuts the list silently, and with it the fields that say what must not be passed on.
    server.maxHeadersCount = 0;
    server.on('connection', (socket: Duplex) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    server.on(secure ? 'secureConnection' : 'connection', (socket: Duplex) => connections.add(socket));
    const serve = (request: IncomingMessage, response: ServerResponse): void => {
      const { socket } = request;
      connections.begin(socket);
      response.once('close', () => {
        connections.end(socket);
        if (closing) setImmediate(() => server.closeIdleConnections());
      });
      onceStarted(parts, socket, () => serveRequest(parts, request, response, secure, () => closing));
    };
    server.on('request', serve);
    // 100 Continue is sent when the upstream is ready for the body, and not before.
    server.on('checkContinue', serve);
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, first: Buffer) => {
      connections.begin(socket);
      // The server has let go of the socket: without a listener an error would be thrown.
      socket.on('error', () => socket.destroy());
      onceStarted(parts, socket, () => serveUpgrade(parts, request, socket, first, secure));
    });
    server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
      parts.metrics.refused('method');
      socket.on('error', () => socket.destroy());
      sendRawAnswer(socket, errorAnswer(405));
    });
    server.on('clientError', (error: Error, socket: Duplex) => {
      if (answerClientError(error, socket, connections.isBusy(socket))) parts.metrics.refused('malformed');
    });
    server.on('tlsClientError', () => parts.metrics.handshakeFailed());
    return server;
  };

  const http = parts.http === undefined ? undefined : prepare(createHttpServer(options), false);
  const https =
    parts.https === undefined
      ? undefined
      : prepare(createHttpsServer({ ...options, ...tlsOptions(parts) }), true);
  const servers = [http, https].filter(server => server !== undefined);

  return {
    async listen(): Promise<EngineAddresses> {
      try {
        return { http: await bind(http, parts.http), https: await bind(https, parts.https) };
      } catch (error) {
        for (const server of servers) server.close();
        throw error;
      }
    },

    async stop(drainMs) {
      closing = true;
      const closed = servers.map(server => new Promise<void>(resolve => server.close(() => resolve())));
      const deadlines = [
        setTimeout(() => connections.closeIdle(), Math.min(lastRequestMs, drainMs)),
        setTimeout(() => {
          connections.closeAll();
          for (const socket of sockets) socket.destroy();
        }, drainMs),
      ];
      await Promise.all(closed);
      for (const deadline of deadlines) clearTimeout(deadline);
    },
  };
}

function tlsOptions(parts: EngineParts): object {
  return {
    ...serverTlsSettings,
    ...parts.sni.defaultCertificate,
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: parts.timeouts.headMs,
    SNICallback: (serverName: string, callback: (error: Error | null, context?: SecureContext) => void) => {
      onceStarted(parts, undefined, () => {
        let context = parts.sni.defaultContext;
        // A throw here would end the process (CVE-2026-21637).
        try {
          context = parts.sni.contextFor(serverName);
        } catch (error) {
          parts.logger.error('no certificate could be chosen', { serverName, error: messageOf(error) });
        }
        callback(null, context);
      });
    },
  };
}

/**
 * Runs `action` at once, or, while there is no table yet, as soon as there is one. An error of ours costs this one
 * connection and never the process.
 */
function onceStarted(parts: EngineParts, socket: Duplex | undefined, action: () => void): void {
  const act = (): void => {
    try {
      action();
    } catch (error) {
      parts.logger.error('a request could not be served', { error: messageOf(error) });
      socket?.destroy();
    }
  };
  const starting = parts.starting();
  if (starting === undefined) act();
  else void starting.then(act);
}

async function bind(
  server: Server | undefined,
  address: ListenAddress | undefined,
): Promise<ListenAddress | undefined> {
  if (server === undefined || address === undefined) return undefined;
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(listenError(address, error)));
    server.listen(
      { port: address.port, ...(address.host === undefined ? {} : { host: address.host }) },
      resolve,
    );
  });
  const bound = server.address();
  return {
    host: address.host,
    port: typeof bound === 'object' && bound !== null ? bound.port : address.port,
  };
}
