import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type ManualClock, manualClock } from '../../core/clock.testing.ts';
import { silentLogger } from '../../core/logger.ts';
import { defaultTimeouts, type EdgeTimeouts } from '../engine.ts';
import { headerFieldsOf } from '../exchange/header-fields.ts';
import type { BodyFraming, BodySink, ClientExchange, ServeRequest } from '../exchange/ports.ts';
import { defaultLimits, type EdgeLimits } from '../limits.ts';
import { noEdgeMetrics } from '../metrics.ts';
import type { CheckedHead, ConnectionFacts } from '../policy/request-head.ts';
import type { ProtocolServer } from '../protocol-server.ts';
import { createHttp2Server } from './protocol-server.ts';

/** A connection that nothing is special about. */
export const plainFacts: ConnectionFacts = {
  secure: true,
  clientAddress: '192.0.2.1',
  trusted: false,
  publicPort: 443,
  tls: undefined,
};

/** An HTTP/2 server in this process, in plaintext, with a clock that stands still. */
export interface TestServer {
  readonly port: number;
  readonly server: ProtocolServer;
  readonly clock: ManualClock;
  /** Why requests and connections were refused. */
  readonly refused: string[];
  readonly sockets: Socket[];
  close(): Promise<void>;
}

export async function startServer(
  serve: ServeRequest,
  changes: { limits?: Partial<EdgeLimits>; timeouts?: Partial<EdgeTimeouts> } = {},
): Promise<TestServer> {
  const clock = manualClock();
  const refused: string[] = [];
  const parts = {
    limits: { ...defaultLimits, ...changes.limits },
    timeouts: { ...defaultTimeouts, ...changes.timeouts },
    metrics: { ...noEdgeMetrics, refused: (reason: string) => refused.push(reason) },
    accessLog: undefined,
    logger: silentLogger,
  };
  const server = createHttp2Server(parts, serve, clock);
  const sockets: Socket[] = [];
  const listener = createServer(socket => {
    socket.on('error', () => {});
    sockets.push(socket);
    server.take(socket, plainFacts);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  return {
    port,
    server,
    clock,
    refused,
    sockets,
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}

/** Answers with a body of text. */
export function answerText(
  client: ClientExchange,
  status: number,
  text: string,
  fields: string[] = [],
): void {
  const framing: BodyFraming = { kind: 'length', length: Buffer.byteLength(text) };
  const sink = client.answer({ status, statusText: '', fields: headerFieldsOf(fields), framing });
  if (text !== '') sink.write(Buffer.from(text));
  sink.end();
}

/** What a sink was given, once it is over. */
export interface Gathered {
  readonly text: string;
  readonly trailers: readonly string[];
  readonly aborted: boolean;
}

/** A sink that takes everything. */
export function gather(done: (gathered: Gathered) => void): BodySink {
  const chunks: Buffer[] = [];
  const finish = (trailers: readonly string[], aborted: boolean): void =>
    done({ text: Buffer.concat(chunks).toString(), trailers, aborted });
  return {
    write(chunk) {
      chunks.push(chunk);
      return true;
    },
    end(trailers) {
      const count = trailers?.count ?? 0;
      finish(
        Array.from({ length: count }, (_, at) => `${trailers?.name(at)}: ${trailers?.value(at)}`),
        false,
      );
    },
    abort: () => finish([], true),
  };
}

/** Tells what it was asked, as JSON, when the body is complete. */
export function reportingServe(head: CheckedHead, client: ClientExchange): void {
  client.requestBody.pipe(
    gather(({ text, trailers, aborted }) => {
      if (aborted) return;
      const fields = Array.from(
        { length: head.fields.count },
        (_, at) => `${head.fields.name(at)}: ${head.fields.value(at)}`,
      );
      const { method, path, query, hostHeader, body } = head;
      answerText(
        client,
        200,
        JSON.stringify({ method, path, query, hostHeader, body, fields, text, trailers }),
      );
    }),
  );
}

/** A client's session in plaintext, with errors ignored. */
export function connectTo(port: number): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  return session;
}

/** An answer as the client saw it. */
export interface Seen {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly trailers: IncomingHttpHeaders;
  readonly interim: readonly number[];
  /** Whether END_STREAM came. */
  readonly complete: boolean;
  readonly rstCode: number;
}

/** Follows a stream to its end. */
export function follow(stream: ClientHttp2Stream): Promise<Seen> {
  return new Promise(resolve => {
    let headers: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    const interim: number[] = [];
    const chunks: Buffer[] = [];
    let complete = false;
    stream.on('headers', found => interim.push(Number(found[':status'])));
    stream.on('response', found => {
      headers = found;
    });
    stream.on('trailers', found => {
      trailers = found;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      complete = stream.rstCode === 0 && headers[':status'] !== undefined;
    });
    stream.on('error', () => {});
    stream.on('close', () =>
      resolve({
        status: Number(headers[':status'] ?? 0),
        headers,
        body: Buffer.concat(chunks).toString(),
        trailers,
        interim,
        complete,
        rstCode: stream.rstCode ?? 0,
      }),
    );
  });
}

/** Sends one request, with or without a body, and gives the answer. */
export function ask(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders | readonly string[],
  body?: string,
): Promise<Seen> {
  const stream = session.request(headers, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  return follow(stream);
}
