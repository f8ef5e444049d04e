import { type HeaderFields, wireOf } from '../exchange/header-fields.ts';
import type {
  BodySink,
  BodySource,
  UpstreamDeadlines,
  UpstreamExchange,
  UpstreamListener,
  UpstreamRequest,
} from '../exchange/ports.ts';
import { fieldKind } from '../http1/field-kind.ts';
import type { ReadResponse } from '../http1/read-response.ts';
import type { Tunnel } from '../http1/tunnel.ts';
import { withoutFields } from '../http1/wire-fields.ts';
import { BrokenAnswer, type UpstreamFailure } from './failure.ts';
import type { Http1Connection } from './http1-connection.ts';

/** Methods whose requests have no length of 0 where they have no body (RFC 9110 section 8.6). */
const withoutLength: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS']);
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
const nothing = Buffer.alloc(0);

/** One request on a connection to an upstream, and its answer: the edge's end of both bodies. */
export class Http1Exchange implements UpstreamExchange, BodySink, BodySource {
  readonly request: UpstreamRequest;
  readonly deadlines: UpstreamDeadlines;
  readonly listener: UpstreamListener;
  readonly #connection: Http1Connection;

  /** A byte of the answer has come. */
  touched = false;
  /** What came was not what was announced: the connection is not used again. */
  desynchronised = false;
  interims = 0;
  requestEnded = false;
  answered = false;
  #over = false;
  #left = 0;
  #sink: BodySink | undefined;
  /** What came before anybody asked for it. */
  #queue: Buffer[] | undefined;
  #ended = false;
  #trailers: HeaderFields | undefined;
  #failure: BrokenAnswer | undefined;

  constructor(
    connection: Http1Connection,
    request: UpstreamRequest,
    deadlines: UpstreamDeadlines,
    listener: UpstreamListener,
  ) {
    this.#connection = connection;
    this.request = request;
    this.deadlines = deadlines;
    this.listener = listener;
  }

  // The request.

  /** The connection stands. */
  sendHead(): void {
    const { method, target, authority, fields, framing, upgrade } = this.request;
    let text = `${method} ${target} HTTP/1.1\r\nHost: ${authority}\r\n${wireOf(fields)}`;
    if (framing.kind === 'none') {
      if (!withoutLength.has(method)) text += 'Content-Length: 0\r\n';
      if (upgrade !== undefined) text += `Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n`;
      this.requestEnded = true;
      this.#connection.sendText(`${text}\r\n`);
      this.#connection.arm();
      this.listener.sent(this);
      return;
    }
    if (framing.kind === 'length') {
      this.#left = framing.length;
      text += `Content-Length: ${framing.length}\r\n`;
    } else {
      text += 'Transfer-Encoding: chunked\r\n';
    }
    // It goes out with what of the body is at hand.
    this.#connection.send(`${text}\r\n`, nothing, '');
    this.listener.sent(this);
    this.#connection.arm();
  }

  readonly consumes = true;

  write(chunk: Buffer): boolean {
    if (this.#over || this.requestEnded || chunk.length === 0) return true;
    if (this.request.framing.kind === 'open')
      return this.#connection.send(`${chunk.length.toString(16)}\r\n`, chunk, '\r\n');
    this.#left -= chunk.length;
    if (this.#left < 0) {
      this.abort();
      return true;
    }
    return this.#connection.send('', chunk, '');
  }

  end(trailers?: HeaderFields): void {
    if (this.#over || this.requestEnded) return;
    if (this.request.framing.kind === 'length' && this.#left > 0) return this.abort();
    if (this.request.framing.kind === 'open')
      this.#connection.send(`0\r\n${trailers === undefined ? '' : wireOf(trailers)}\r\n`, nothing, '');
    this.#connection.flush();
    this.requestEnded = true;
    this.#connection.arm();
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#connection.abort(this);
  }

  /** The head of the answer has come. */
  answerBegins(read: ReadResponse): void {
    this.answered = true;
    this.listener.answered(read, this);
  }

  /** More of the answer's body, in memory that is used again. Gives whether still more may come. */
  deliver(view: Buffer): boolean {
    const sink = this.#sink;
    if (sink !== undefined) return sink.write(sink.consumes === true ? view : Buffer.from(view));
    this.#queue ??= [];
    this.#queue.push(Buffer.from(view));
    return false;
  }

  answerEnds(trailers: HeaderFields | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#ended = true;
    this.#trailers = trailers;
    this.#sink?.end(trailers);
  }

  /** The connection has become the other protocol's. */
  upgraded({ status, statusText, allFields }: ReadResponse, tunnel: Tunnel): void {
    this.#over = true;
    const fields = withoutFields(allFields, kind => kind !== fieldKind.other && kind !== fieldKind.upgrade);
    this.listener.upgraded({ status, statusText, fields, framing: { kind: 'none' } }, tunnel, tunnel);
  }

  /** `unsent`: no connection came about. `stale`: it was an idle one, closed before it answered with a byte. */
  fail(failure: UpstreamFailure, unsent: boolean, stale: boolean): void {
    if (this.#over) return;
    this.#over = true;
    if (!this.answered) {
      this.listener.failed(failure, unsent || (stale && idempotent.has(this.request.method)));
      return;
    }
    this.#failure = new BrokenAnswer(failure);
    this.#sink?.abort(this.#failure);
  }

  pipe(sink: BodySink): void {
    this.#sink = sink;
    let room = true;
    for (const chunk of this.#queue ?? []) room = sink.write(chunk);
    this.#queue = undefined;
    if (this.#failure !== undefined) sink.abort(this.#failure);
    else if (this.#ended) sink.end(this.#trailers);
    else if (room) this.#connection.flow(this);
  }

  resume(): void {
    if (!this.#over) this.#connection.resume(this);
  }

  discard(): void {
    this.abort();
  }
}
