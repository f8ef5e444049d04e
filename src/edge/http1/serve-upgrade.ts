import type { IncomingMessage } from 'node:http';
import { type Duplex, pipeline } from 'node:stream';
import { messageOf } from '../../core/errors.ts';
import { clientHeaders } from '../policy/client-headers.ts';
import { openExchange } from '../upstream/exchange.ts';
import type { UpstreamFailure } from '../upstream/failure.ts';
import { answerFor, closeGently, errorAnswer, rawHead, sendRawAnswer } from './answers.ts';
import { exchangeRequest } from './exchange-request.ts';
import type { NodeParts } from './node-parts.ts';
import { readHead } from './read-head.ts';
import { recordRequest } from './request-log.ts';

/**
 * Serves one request to change protocols (RFC 9110 section 7.8), WebSocket (RFC 6455) above all: where the upstream
 * agrees, the two connections become one. Where it does not, its answer is passed on and the connection closed.
 */
export function serveUpgrade(
  parts: NodeParts,
  request: IncomingMessage,
  socket: Duplex,
  first: Buffer,
): void {
  const startedMs = performance.now();
  if (socket.destroyed) return;
  const head = readHead(request, parts.factsOf(request.socket));
  const decision = parts.decide(head);
  const route = decision.kind === 'refuse' ? undefined : decision.route;
  const over = (status: number, upstream?: string): void =>
    recordRequest(parts, { head, status, startedMs, route, upstream });

  if (decision.kind !== 'proxy' || decision.head.upgrade === undefined) {
    const answer = decision.kind === 'proxy' ? errorAnswer(400) : answerFor(decision);
    if (decision.kind === 'refuse') parts.metrics.refused(decision.reason);
    sendRawAnswer(socket, answer);
    return over(answer.status);
  }
  const fail = (failure: UpstreamFailure): void => {
    parts.upstreamFailed(decision.route, decision.backend, failure);
    sendRawAnswer(socket, errorAnswer(failure.status));
    over(failure.status);
  };
  let outgoing: ReturnType<typeof exchangeRequest>;
  try {
    outgoing = exchangeRequest(parts, decision.head, decision.backend);
  } catch (error) {
    return fail({
      status: 503,
      code: 'EDGE_UPSTREAM_TLS_INVALID',
      message: messageOf(error),
      verification: true,
    });
  }
  const exchange = openExchange(outgoing, {
    connected() {},
    clientStalls: () => false,
    response(answer, target) {
      const headers = [...clientHeaders(answer.rawHeaders), 'Connection', 'close'];
      socket.write(rawHead(answer.statusCode ?? 502, answer.statusMessage ?? '', headers), 'latin1');
      pipeline(answer, socket, () => {
        closeGently(socket);
        over(answer.statusCode ?? 502, `${target.address}:${target.port}`);
      });
    },
    upgraded(answer, upstream, upstreamFirst, target) {
      socket.write(rawHead(101, 'Switching Protocols', clientHeaders(answer.rawHeaders, true)), 'latin1');
      joinConnections(socket, first, upstream, upstreamFirst, parts.timeouts.tunnelMs, () =>
        over(101, `${target.address}:${target.port}`),
      );
    },
    failed: fail,
  });
  socket.once('close', () => exchange.abort());
}

/** Copies both ways until either side ends; then both are closed. */
function joinConnections(
  client: Duplex,
  clientFirst: Buffer,
  upstream: Duplex,
  upstreamFirst: Buffer,
  idleMs: number,
  over: () => void,
): void {
  if (clientFirst.length > 0) upstream.write(clientFirst);
  if (upstreamFirst.length > 0) client.write(upstreamFirst);
  for (const side of [client, upstream]) {
    if (!('setTimeout' in side) || typeof side.setTimeout !== 'function') continue;
    side.setTimeout(idleMs, () => side.destroy());
    if ('setKeepAlive' in side && typeof side.setKeepAlive === 'function') side.setKeepAlive(true, 60_000);
  }
  client.once('close', () => {
    upstream.destroy();
    over();
  });
  upstream.once('error', () => client.destroy());
  upstream.once('close', () => closeGently(client));
  client.pipe(upstream);
  upstream.pipe(client);
}
