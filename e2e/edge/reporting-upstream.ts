import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import { WebSocketServer } from 'ws';

/** What an upstream got, which is also its answer, as JSON. */
export interface SeenRequest {
  readonly upstream: string;
  readonly method: string;
  readonly path: string;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  readonly httpVersion: string;
  readonly body: string;
  readonly tls: SeenTls | undefined;
}

/** Of the connection that the edge made. */
export interface SeenTls {
  readonly version: string;
  /** The name in SNI; null where there was none. */
  readonly sni: string | null;
  /** Common name of the edge's client certificate; null where it sent none. */
  readonly client: string | null;
  /** Whether that verified. */
  readonly authorized: boolean;
}

export interface ReportingUpstream {
  readonly port: number;
  /** How many connections there have been. */
  connections(): number;
  stop(): Promise<void>;
}

/**
 * Starts an upstream that answers with what it got. What else it does is asked for in the query: `status=404`, `trailers`,
 * `events` (an event at once, the next one when `release` is asked for), `range` (of ten bytes), `slow` (no answer). It echoes WebSocket messages after its own name, and bodies to POST /echo byte by byte.
 */
export async function startReportingUpstream(options: {
  readonly name: string;
  readonly address: string;
  /** Default: one that is free. */
  readonly port?: number;
  readonly tls?: ServerOptions;
}): Promise<ReportingUpstream> {
  const { name, address, port = 0, tls } = options;
  const waiting = new Set<ServerResponse>();
  const listener: RequestListener = (request, response) => {
    const { pathname, searchParams: asked } = new URL(request.url ?? '/', 'http://upstream');
    if (asked.has('slow')) return;
    if (pathname === '/echo') {
      response.writeHead(200);
      request.pipe(response);
      return;
    }
    if (asked.has('events')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: first\n\n');
      waiting.add(response);
      return;
    }
    if (asked.has('release')) {
      for (const stream of waiting) stream.end('data: second\n\n');
      waiting.clear();
    }
    if (asked.has('range') && request.headers.range === 'bytes=2-4') {
      response.writeHead(206, { 'content-range': 'bytes 2-4/10', 'content-length': 3 }).end('234');
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = JSON.stringify(seen(name, request, Buffer.concat(chunks).toString()));
      const trailers = asked.has('trailers');
      response.writeHead(Number(asked.get('status') ?? 200), {
        'content-type': 'application/json',
        'x-upstream': name,
        ...(trailers ? { trailer: 'x-sum' } : { 'content-length': Buffer.byteLength(text) }),
      });
      if (trailers) {
        response.write(text);
        response.addTrailers({ 'x-sum': String(text.length) });
        response.end();
      } else response.end(text);
    });
  };
  const server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', socket => {
    socket.on('message', (data: Buffer) => socket.send(`${name}: ${data.toString()}`));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    stop() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      return new Promise(resolve => server.close(() => resolve()));
    },
  };
}

function seen(upstream: string, request: IncomingMessage, body: string): SeenRequest {
  const { method = '', url: path = '', rawHeaders, httpVersion, socket } = request;
  return { upstream, method, path, rawHeaders, httpVersion, body, tls: tlsOf(socket) };
}

function tlsOf(socket: unknown): SeenTls | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const { CN: client } = socket.getPeerCertificate().subject ?? {};
  // Of a server's socket; the types know those of clients alone.
  const { servername: sni } = socket as { servername?: string | false };
  return {
    version: socket.getProtocol() ?? '',
    sni: sni === undefined || sni === false ? null : sni,
    client: (Array.isArray(client) ? client[0] : client) ?? null,
    authorized: socket.authorized,
  };
}

/** The values of a field, by its name in lower case. */
export function valuesOf({ rawHeaders }: Pick<SeenRequest, 'rawHeaders'>, name: string): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);
}
