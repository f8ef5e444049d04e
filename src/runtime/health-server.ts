import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf, PosternError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { type HealthCheck, reportHealth } from './health.ts';

export interface HealthServerOptions {
  /** `host` may be empty for all addresses; port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly metrics: { readonly contentType: string; render(): Promise<string> };
  /** Failing means: restart this process. Read at each request. */
  readonly live: () => readonly HealthCheck[];
  /** Failing means: send no traffic here now. Read at each request. */
  readonly ready: () => readonly HealthCheck[];
  readonly logger: Logger;
}

/** The listener for metrics and probes. */
export interface HealthServer {
  readonly address: AddressInfo;
  /** Resolves when it no longer listens; connections that are open are cut. */
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
}

const requestTimeoutMs = 10_000;

async function answerFor(path: string, options: HealthServerOptions): Promise<Answer> {
  switch (path) {
    case '/metrics':
      return { status: 200, body: await options.metrics.render(), type: options.metrics.contentType };
    case '/healthz':
    case '/livez':
    case '/readyz': {
      const report = reportHealth(path === '/readyz' ? options.ready() : options.live());
      return { status: report.healthy ? 200 : 503, body: report.text };
    }
    default:
      return { status: 404, body: 'Here are /metrics, /healthz, /livez and /readyz.\n' };
  }
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const body = Buffer.from(answer.body);
  response.writeHead(answer.status, {
    'content-type': answer.type ?? 'text/plain; charset=utf-8',
    'content-length': body.byteLength,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(answer.status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/**
 * Serves `/metrics` (Prometheus text), `/healthz` and `/livez` (200, or 503 where the process should be
 * restarted) and `/readyz` (503 while it should get no traffic; the body lists what fails).
 * Throws a PosternError LISTEN_FAILED where the address cannot be had.
 */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const { listen, logger } = options;
  const server = createServer({
    requestTimeout: requestTimeoutMs,
    headersTimeout: requestTimeoutMs / 2,
    keepAliveTimeout: requestTimeoutMs,
    maxHeaderSize: 8_192,
    connectionsCheckingInterval: 1_000,
  });
  server.maxConnections = 100;
  server.on('request', (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      // The body, if any, is not read: the connection is of no more use.
      response.shouldKeepAlive = false;
      send(request, response, { status: 405, body: 'Only GET and HEAD.\n' });
      return;
    }
    const [path = '/'] = (request.url ?? '/').split('?', 1);
    answerFor(path, options).then(
      answer => send(request, response, answer),
      (error: unknown) => {
        logger.error('metrics or health request failed', { path, error });
        send(request, response, { status: 500, body: 'This failed; the log has the reason.\n' });
      },
    );
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, ...(listen.host === '' ? [] : [listen.host]), () => resolve());
  }).catch((thrown: unknown) => {
    throw new PosternError(
      `Metrics and health cannot listen on ${listen.host}:${listen.port} (--metrics-listen-address): ${messageOf(thrown)}.`,
      { code: 'LISTEN_FAILED', retry: 'never', cause: thrown },
    );
  });
  return {
    address: server.address() as AddressInfo,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
