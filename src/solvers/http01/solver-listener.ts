import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf, TerminalError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { challengePath, isToken } from './challenge-host.ts';
import type { Responder } from './responder.ts';

/** Where a solver listener listens. */
export interface SolverListenerOptions {
  readonly responder: Pick<Responder, 'answer'>;
  /** All addresses where absent. */
  readonly host?: string | undefined;
  /** 8089 by default for the program; 0 takes a free one. */
  readonly port: number;
  readonly logger: Logger;
}

/** A running solver listener. */
export interface SolverListener {
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Starts the HTTP server that the solver Services lead to. It answers GET and HEAD of a token that is presented now,
 * for the host that it is for; to all else it says 404, and no more. Throws a TerminalError,
 * SOLVER_LISTEN_FAILED, where the port cannot be had.
 */
export async function startSolverListener(options: SolverListenerOptions): Promise<SolverListener> {
  const { responder, logger } = options;
  const server = http.createServer(
    {
      maxHeaderSize: 8 * 1024,
      headersTimeout: 5_000,
      requestTimeout: 5_000,
      keepAliveTimeout: 5_000,
      connectionsCheckingInterval: 1_000,
      insecureHTTPParser: false,
    },
    (request, response) => {
      const answer = answerTo(request, responder);
      logger.debug('HTTP01 request', { host: request.headers.host, found: answer !== undefined });
      // There is no use for a body, and none is read.
      if (hasBody(request)) response.setHeader('connection', 'close');
      const body = answer ?? '';
      response.writeHead(answer === undefined ? 404 : 200, {
        'content-type': 'text/plain',
        'content-length': Buffer.byteLength(body),
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
      });
      response.end(request.method === 'HEAD' ? undefined : body);
    },
  );
  server.maxConnections = 1_024;
  server.maxRequestsPerSocket = 100;
  // A CONNECT or an upgrade gets no more than any other request.
  server.on('connect', (_request, socket) => socket.destroy());
  server.on('clientError', (_error, socket) => socket.destroy());

  await new Promise<void>((resolve, reject) => {
    server.once('error', error => {
      const where = `${options.host ?? ''}:${options.port}`;
      reject(
        new TerminalError(`--solver-listen ${where} cannot be listened on: ${messageOf(error)}`, {
          code: 'SOLVER_LISTEN_FAILED',
          cause: error,
        }),
      );
    });
    server.listen({ port: options.port, host: options.host }, resolve);
  });
  const bound = server.address() as AddressInfo;
  return {
    address: bound.address,
    port: bound.port,
    close() {
      const closed = new Promise<void>(resolve => {
        server.close(() => resolve());
      });
      server.closeIdleConnections();
      // What is in flight is one small answer.
      setTimeout(() => server.closeAllConnections(), 1_000).unref();
      return closed;
    },
  };
}

function answerTo(request: http.IncomingMessage, responder: Pick<Responder, 'answer'>): string | undefined {
  if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
  if (hasBody(request)) return undefined;
  const target = request.url ?? '';
  if (!target.startsWith(challengePath)) return undefined;
  const token = target.slice(challengePath.length);
  // Node keeps the first of several Host headers; a proxy before us may have kept another.
  const hosts = request.rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host');
  if (hosts.length !== 1 || !isToken(token)) return undefined;
  return responder.answer(request.headers.host ?? '', token);
}

function hasBody(request: http.IncomingMessage): boolean {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}
