import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { messageOf } from '../../core/errors.ts';
import type { Backend, RoutingTable } from '../compile/table.ts';
import type { ConnectionFacts } from '../policy/request-head.ts';
import type { CreateProtocolServer, ProtocolServer, ServingParts } from '../protocol-server.ts';
import { createAgents } from '../upstream/agents.ts';
import { checkedLookup } from '../upstream/checked-lookup.ts';
import { RoundRobin } from '../upstream/round-robin.ts';
import { errorAnswer, sendRawAnswer } from './answers.ts';
import { answerClientError } from './client-error.ts';
import { Connections } from './connections.ts';
import { decide } from './node-decide.ts';
import type { NodeParts } from './node-parts.ts';
import { serveRequest } from './serve-request.ts';
import { serveUpgrade } from './serve-upgrade.ts';

/** How long a connection that has sent nothing may still send its first request while the engine stops. */
const lastRequestMs = 500;

const noFacts: ConnectionFacts = {
  secure: false,
  clientAddress: '',
  trusted: false,
  publicPort: 0,
  tls: undefined,
};

/** The first server of HTTP/1: Node's own HTTP server and client. */
export const createNodeServer: CreateProtocolServer = (serving: ServingParts): ProtocolServer => {
  const facts = new WeakMap<Duplex, ConnectionFacts>();
  const connections = new Connections();
  let closing = false;
  const parts: NodeParts = {
    ...serving,
    agents: createAgents(checkedLookup(serving.standalone)),
    roundRobin: new RoundRobin(),
    factsOf: socket => facts.get(socket) ?? noFacts,
    decide: head =>
      decide(serving.table(), head, { limits: serving.limits, httpsPort: serving.policy.httpsPort }),
  };
  serving.onTable(table => forgetUnused(parts, table));

  const server = createServer({
    maxHeaderSize: serving.limits.headBytes,
    headersTimeout: serving.timeouts.headMs,
    // The time for a whole request is not bounded: uploads may be long. Silence is.
    requestTimeout: 0,
    keepAliveTimeout: serving.timeouts.keepAliveMs,
    connectionsCheckingInterval: Math.min(5_000, serving.timeouts.headMs),
  });
  // The default cuts the list silently, and with it the fields that say what must not be passed on.
  server.maxHeadersCount = 0;
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    connections.begin(socket);
    response.once('close', () => {
      connections.end(socket);
      if (closing) setImmediate(() => server.closeIdleConnections());
    });
    guarded(parts, socket, () => serveRequest(parts, request, response, () => closing));
  };
  server.on('request', serve);
  // 100 Continue is sent when the upstream is ready for the body, and not before.
  server.on('checkContinue', serve);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, first: Buffer) => {
    connections.begin(socket);
    // The server has let go of the socket: without a listener an error would be thrown.
    socket.on('error', () => socket.destroy());
    guarded(parts, socket, () => serveUpgrade(parts, request, socket, first));
  });
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    parts.metrics.refused('method');
    socket.on('error', () => socket.destroy());
    sendRawAnswer(socket, errorAnswer(405));
  });
  server.on('clientError', (error: Error, socket: Duplex) => {
    if (answerClientError(error, socket, connections.isBusy(socket))) parts.metrics.refused('malformed');
  });
  // It listens nowhere, and looks for slow heads from this event on.
  server.emit('listening');

  return {
    take(socket, connection) {
      facts.set(socket, connection);
      connections.add(socket);
      server.emit('connection', socket);
    },
    drain() {
      closing = true;
      server.closeIdleConnections();
      setTimeout(() => connections.closeIdle(), lastRequestMs).unref();
    },
    close() {
      connections.closeAll();
      server.close();
      parts.agents.close();
    },
  };
};

/** An error of ours costs this one connection and never the process. */
function guarded(parts: NodeParts, socket: Duplex, action: () => void): void {
  try {
    action();
  } catch (error) {
    parts.logger.error('a request could not be served', { error: messageOf(error) });
    socket.destroy();
  }
}

function forgetUnused(parts: NodeParts, table: RoutingTable): void {
  const tls = [...table.backends.values()].flatMap(backend => tlsOf(backend) ?? []);
  parts.agents.keep(new Set(tls.map(({ id }) => id)));
  parts.roundRobin.keep(new Set(table.backends.keys()));
}

function tlsOf(backend: Backend): { readonly id: string } | undefined {
  return backend.kind === 'unavailable' ? undefined : backend.tls;
}
