import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { messageOf } from '../../core/errors.ts';
import type { Backend, Endpoint, Route } from '../compile/table.ts';
import { clientHeaders } from '../policy/client-headers.ts';
import type { RawHead } from '../policy/raw-head.ts';
import type { CheckedHead } from '../policy/request-head.ts';
import { type ExchangeRequest, openExchange } from '../upstream/exchange.ts';
import type { UpstreamFailure } from '../upstream/failure.ts';
import { answerFor, errorAnswer, sendAnswer } from './answers.ts';
import { exchangeRequest } from './exchange-request.ts';
import type { NodeParts } from './node-parts.ts';
import { readHead } from './read-head.ts';
import { recordRequest } from './request-log.ts';

/** Serves one request that changes no protocol. `closing` tells whether the engine is being stopped. */
export function serveRequest(
  parts: NodeParts,
  request: IncomingMessage,
  response: ServerResponse,
  closing: () => boolean,
): void {
  const startedMs = performance.now();
  // Gone while it waited for the first table.
  if (response.closed) return;
  const head = readHead(request, parts.factsOf(request.socket));
  const served: Served = { parts, request, response, head, closing, route: undefined, upstream: undefined };
  // Node reports what goes wrong with the client here, and without a listener it would be thrown.
  request.on('error', () => {});
  response.on('error', () => {});
  response.once('close', () => {
    const status = response.headersSent ? response.statusCode : 0;
    recordRequest(parts, { head, status, startedMs, route: served.route, upstream: served.upstream });
  });
  const decision = parts.decide(head);
  if (decision.kind === 'refuse') parts.metrics.refused(decision.reason);
  else served.route = decision.route;
  if (decision.kind === 'proxy')
    return forward(served, decision.head, { route: decision.route, backend: decision.backend });
  sendAnswer(response, answerFor(decision), closing());
  discardBody(request);
}

interface Target {
  readonly route: Route;
  readonly backend: Backend;
}

/** A request while it is served. */
interface Served {
  readonly parts: NodeParts;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly head: RawHead;
  readonly closing: () => boolean;
  route: Route | undefined;
  upstream: string | undefined;
}

function forward(served: Served, checked: CheckedHead, to: Target): void {
  const { parts, request, response } = served;
  let outgoing: ExchangeRequest;
  try {
    outgoing = exchangeRequest(parts, checked, to.backend);
  } catch (error) {
    const message = messageOf(error);
    return fail(served, to, {
      status: 503,
      code: 'EDGE_UPSTREAM_TLS_INVALID',
      message,
      verification: true,
    });
  }
  let sending: { needsDrain: () => boolean } | undefined;
  const exchange = openExchange(outgoing, {
    connected(upstream) {
      sending = { needsDrain: () => upstream.writableNeedDrain };
      if (checked.expectsContinue) response.writeContinue();
      request.pipe(upstream);
    },
    clientStalls: () => sending !== undefined && !request.complete && !sending.needsDrain(),
    response: (answer, target) => relay(served, answer, target),
    // An upgrade that nobody asked for.
    upgraded(_answer, socket) {
      socket.destroy();
      fail(served, to, {
        status: 502,
        code: 'EDGE_UPSTREAM_UPGRADED',
        message: 'status 101 unasked',
        verification: false,
      });
    },
    failed: failure => fail(served, to, failure),
  });
  response.once('close', () => {
    if (!response.writableFinished) exchange.abort();
  });
}

function relay({ response, closing, ...served }: Served, answer: IncomingMessage, target: Endpoint): void {
  served.upstream = `${target.address}:${target.port}`;
  const headers = clientHeaders(answer.rawHeaders);
  if (closing()) headers.push('Connection', 'close');
  try {
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', headers);
  } catch (error) {
    // A header that cannot be sent on as it is.
    answer.destroy();
    served.parts.logger.warn('an upstream sent a header that cannot be passed on', {
      error: messageOf(error),
    });
    return response.headersSent ? void response.destroy() : sendAnswer(response, errorAnswer(502), true);
  }
  // On an error of either side pipeline destroys the other: the client sees that the answer is not complete.
  pipeline(answer, response, () => {});
}

function fail({ parts, request, response, closing }: Served, to: Target, failure: UpstreamFailure): void {
  parts.upstreamFailed(to.route, to.backend, failure);
  request.unpipe();
  if (response.headersSent) {
    response.destroy();
    return;
  }
  sendAnswer(response, errorAnswer(failure.status, failure.status === 408), closing());
  discardBody(request);
}

/**
 * Reads what is left of a body that nobody wants, so that the client gets to read its answer (RFC 9112 section 9.6), but
 * not for long.
 */
function discardBody(request: IncomingMessage): void {
  request.resume();
  if (request.complete) return;
  const timer = setTimeout(() => request.socket.destroy(), discardMs);
  timer.unref();
  request.once('close', () => clearTimeout(timer));
}

const discardMs = 5_000;
