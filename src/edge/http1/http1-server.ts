import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { ServeRequest } from '../exchange/ports.ts';
import { Refusals } from '../exchange/refusals.ts';
import type { ProtocolServer, ServingParts } from '../protocol-server.ts';
import type { TimerWheel } from '../timers/timer-wheel.ts';
import { TurnQueue } from '../timers/turn-queue.ts';
import type { ConnectionHost } from './connection-host.ts';
import { ServerConnection } from './server-connection.ts';
import { WriteMemory } from './write-memory.ts';

/** How long a connection that has sent nothing may still send its first request while the engine stops. */
const firstRequestMs = 500;
/** Where an answer's head and the bytes behind it are put together: as much as one read of an upstream, and a head. */
const blockBytes = 147_456;
/** The share of the time for draining in which others may send one more. */
const lastRequestShare = 1 / 40;
/** Each of them may open a connection to an upstream, and takes several times as long as the next one. */
const firstRequestsEachTurn = 8;

/** Serves clients' connections that speak HTTP/1.1, or 1.0, by the edge's own codec. */
export function createHttp1Server(
  parts: Pick<ServingParts, 'limits' | 'timeouts' | 'metrics' | 'accessLog' | 'logger'>,
  serve: ServeRequest,
  wheel: TimerWheel,
  clock: Clock,
): ProtocolServer {
  const { limits, timeouts, logger } = parts;
  const refusals = new Refusals(parts, 'HTTP/1.1', clock);
  const connections = new Set<ServerConnection>();
  const host = {
    wheel,
    firstRequests: new TurnQueue(firstRequestsEachTurn, 'newest'),
    memory: new WriteMemory(blockBytes),
    scratch: Buffer.allocUnsafeSlow(blockBytes),
    timeouts,
    limits,
    draining: false,
    lastRequestMs: 0,
    serve: (exchange, head) => serve(head, exchange),
    refused: (refusal, facts) => refusals.record(refusal, facts),
    closed: connection => connections.delete(connection),
    failed: error => logger.error('a connection could not be served', { error: messageOf(error) }),
  } satisfies ConnectionHost as ConnectionHost & { draining: boolean; lastRequestMs: number };
  return {
    take(socket, facts) {
      if (socket.destroyed) return;
      const connection = new ServerConnection(host, socket, facts);
      connections.add(connection);
      if (host.draining) connection.drain(firstRequestMs);
    },
    drain(withinMs) {
      host.draining = true;
      host.lastRequestMs = withinMs * lastRequestShare;
      for (const connection of connections) connection.drain(firstRequestMs);
    },
    close() {
      for (const connection of connections) connection.destroy();
    },
  };
}
