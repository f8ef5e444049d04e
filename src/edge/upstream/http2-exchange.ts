import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2';
import type { HeaderFields } from '../exchange/header-fields.ts';
import type {
  AnswerHead,
  BodyFraming,
  BodySink,
  UpstreamDeadlines,
  UpstreamExchange,
  UpstreamListener,
  UpstreamRequest,
} from '../exchange/ports.ts';
import { appendFields, Http2Fields, regularFields, trailerFields } from '../http2/fields.ts';
import { noBody, type SourceOwner, StreamSource } from '../http2/stream-source.ts';
import type { Timed } from '../timers/timer-wheel.ts';
import { BrokenAnswer, failureOf, timeoutFailure, type UpstreamFailure } from './failure.ts';
import type { Http2UpstreamSession } from './http2-session.ts';
import { mostInterims, tooManyInterims } from './interim-answers.ts';

const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
const fullBytes = 262_144;
const grpc = /^application\/grpc(?:$|[+;])/i;

/** One request on a stream to an upstream, and its answer. It is itself the sink of the request's body. */
export class Http2Exchange implements UpstreamExchange, BodySink, SourceOwner, Timed {
  deadlineMs = Infinity;
  slot = -1;
  next: Timed | undefined = undefined;
  previous: Timed | undefined = undefined;

  readonly #session: Http2UpstreamSession;
  readonly #request: UpstreamRequest;
  readonly #deadlines: UpstreamDeadlines;
  readonly #listener: UpstreamListener;
  #stream: ClientHttp2Stream | undefined;
  #source: StreamSource | undefined;
  #canceller: AbortController | undefined;
  #trailers: HeaderFields | undefined;
  /** Bytes that the body has left, by what was announced. */
  #left = Infinity;
  #requestEnded = false;
  #answered = false;
  #interims = 0;
  #full = false;
  #watchesDrain = false;
  #over = false;
  #error: Error | undefined;
  #readBefore = 0;

  constructor(
    session: Http2UpstreamSession,
    request: UpstreamRequest,
    deadlines: UpstreamDeadlines,
    listener: UpstreamListener,
  ) {
    this.#session = session;
    this.#request = request;
    this.#deadlines = deadlines;
    this.#listener = listener;
  }

  /** The connection stands. Called by the session, once. */
  send(http2: ClientHttp2Session): void {
    const { method, scheme, authority, target, fields, framing, trailersWanted } = this.#request;
    const list = [':method', method, ':scheme', scheme, ':authority', authority, ':path', target];
    appendFields(list, fields);
    if (trailersWanted) list.push('te', 'trailers');
    if (framing.kind === 'length') {
      list.push('content-length', String(framing.length));
      this.#left = framing.length;
    }
    this.#readBefore = this.#session.socket.bytesRead;
    const ended = framing.kind === 'none';
    this.#requestEnded = ended;
    // Requests of gRPC have no trailers, so that their last message can end the stream.
    const mayTrail = framing.kind === 'open' && !grpc.test(fields.first('content-type') ?? '');
    if (!ended) this.#canceller = new AbortController();
    let stream: ClientHttp2Stream;
    try {
      stream = http2.request(list, {
        endStream: ended,
        waitForTrailers: mayTrail,
        ...(this.#canceller === undefined ? {} : { signal: this.#canceller.signal }),
      });
    } catch (error) {
      this.#error = error instanceof Error ? error : undefined;
      this.#closed();
      return;
    }
    this.#stream = stream;
    stream.on('error', (error: Error) => {
      this.#error = error;
    });
    stream.on('close', () => this.#closed());
    stream.on('headers', (found, _flags, received: string[]) =>
      this.#informed(Number(found[':status']), received),
    );
    stream.on('response', (found, flags, received: string[]) =>
      this.#respond(stream, Number(found[':status']), flags, received),
    );
    if (mayTrail) stream.on('wantTrailers', () => stream.sendTrailers(trailerFields(this.#trailers)));
    this.moved();
    this.#listener.sent(this);
  }

  // The sink of the request's body.

  write(chunk: Buffer): boolean {
    const stream = this.#stream;
    if (this.#over || this.#requestEnded || stream === undefined || chunk.length === 0) return true;
    this.#left -= chunk.length;
    if (this.#left < 0) {
      this.abort();
      return true;
    }
    // Beyond what Node calls full, so that the client need not wait for each chunk to be out.
    if (!stream.write(chunk) && stream.writableLength >= fullBytes) {
      this.#full = true;
      if (!this.#watchesDrain) {
        this.#watchesDrain = true;
        stream.on('drain', () => this.#drained());
      }
    }
    this.moved();
    return !this.#full;
  }

  end(trailers?: HeaderFields): void {
    if (this.#over || this.#requestEnded) return;
    if (this.#left > 0 && this.#left !== Infinity) {
      this.abort();
      return;
    }
    this.#trailers = trailers;
    this.#requestEnded = true;
    this.#stream?.end();
    this.moved();
  }

  /** Of the exchange, and of the body: the upstream must not take a part for the whole. */
  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#session.wheel.remove(this);
    if (this.#stream === undefined) this.#session.end(this);
    else this.#cancel(this.#stream);
  }

  #cancel(stream: ClientHttp2Stream): void {
    // Node's `close` would end the body first, as if it were whole.
    if (stream.writableEnded || this.#canceller === undefined) stream.close(constants.NGHTTP2_CANCEL);
    else this.#canceller.abort();
  }

  #drained(): void {
    this.#full = false;
    this.moved();
    if (!this.#over) this.#listener.drained();
  }

  // The answer.

  #informed(status: number, received: readonly string[]): void {
    if (this.#over || this.#answered) return;
    this.#interims += 1;
    if (this.#interims > mostInterims) {
      this.#refuse(tooManyInterims);
      return;
    }
    this.moved();
    if (status !== 100 && status !== 101) this.#listener.informed(status, regularFields(received));
  }

  #respond(stream: ClientHttp2Stream, status: number, flags: number, received: readonly string[]): void {
    if (this.#over || this.#answered) return;
    this.#answered = true;
    const ended = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const fields = regularFields(received);
    const length = fields.first('content-length');
    const head: AnswerHead = {
      status,
      statusText: '',
      fields: length === undefined ? fields : withoutLength(fields),
      framing: framingOf(fields, length, ended, this.#request.method),
    };
    if (!ended) this.#source = new StreamSource(stream, this);
    this.moved();
    this.#listener.answered(head, this.#source ?? noBody);
  }

  // The owner of the answer's body.

  moved(): void {
    if (this.#over) return;
    const { sendMs, readMs } = this.#deadlines;
    let awaitedMs = Infinity;
    if (this.#full) awaitedMs = sendMs;
    else if (this.#source?.paused !== true && (this.#requestEnded || this.#answered)) awaitedMs = readMs;
    this.#session.wheel.set(this, awaitedMs);
  }

  restRefused(): void {
    this.abort();
  }

  onDeadline(): void {
    if (this.#over) return;
    // Nothing came on the whole connection: perhaps nobody is there any more, and the next request shall not find out.
    if (this.#session.socket.bytesRead === this.#readBefore) this.#session.retire();
    this.#refuse(timeoutFailure('read'));
  }

  /** The answer is waited for no longer. */
  #refuse(failure: UpstreamFailure): void {
    const stream = this.#stream;
    this.#fail(failure, false);
    if (stream !== undefined) this.#cancel(stream);
  }

  // The end.

  /** The connection is gone, or never came about. */
  sessionLost(failure: UpstreamFailure): void {
    if (this.#over) return;
    const { framing, method } = this.#request;
    const nothingCame = this.#session.socket.bytesRead === this.#readBefore && !this.#answered;
    const stale = nothingCame && framing.kind === 'none' && idempotent.has(method);
    this.#fail(failure, stale || this.#session.unseen(this.#stream?.id));
  }

  #closed(): void {
    this.#session.wheel.remove(this);
    this.#session.end(this);
    if (this.#over) return;
    if (this.#source?.over === true || (this.#answered && this.#source === undefined)) {
      this.#over = true;
      return;
    }
    const stream = this.#stream;
    const refused = stream === undefined || stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
    const failure = this.#error === undefined ? resetFailure : failureOf(this.#error);
    this.#fail(failure, refused || this.#session.unseen(stream.id));
  }

  #fail(failure: UpstreamFailure, untouched: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.#session.wheel.remove(this);
    if (!this.#answered) this.#listener.failed(failure, untouched);
    else this.#source?.closed(new BrokenAnswer(failure));
  }
}

const resetFailure: UpstreamFailure = {
  status: 502,
  code: 'ERR_HTTP2_STREAM_ERROR',
  message: 'the upstream reset the stream',
  verification: false,
};

function framingOf(
  fields: HeaderFields,
  length: string | undefined,
  ended: boolean,
  method: string,
): BodyFraming {
  const bytes = length === undefined ? undefined : Number(length);
  if (ended && (bytes === undefined || (bytes > 0 && method !== 'HEAD'))) return { kind: 'none' };
  // gRPC ends with trailers, whether a length was said or not.
  if (bytes === undefined || !Number.isSafeInteger(bytes) || grpc.test(fields.first('content-type') ?? ''))
    return { kind: 'open' };
  return { kind: 'length', length: bytes };
}

function withoutLength(fields: HeaderFields): HeaderFields {
  const list: string[] = [];
  for (let at = 0; at < fields.count; at += 1)
    if (fields.name(at) !== 'content-length') list.push(fields.name(at), fields.value(at));
  return new Http2Fields(list);
}
