import { type HeaderFields, wireOf } from '../exchange/header-fields.ts';
import type { AnswerHead, BodySink, BodySource, ClientExchange } from '../exchange/ports.ts';
import type { ReadRequest } from './read-request.ts';
import type { ServerConnection } from './server-connection.ts';

/** How the body of an answer is written. */
type Writing = 'nothing' | 'length' | 'chunked' | 'rest';

const lastChunk = '0\r\n\r\n';
/** Chunks up to this size wait for what else comes in the same read. */
const heldBytes = 16_384;

/**
 * One request on a connection of a client, and its answer: the client's end of both bodies. It lives as long as it is its
 * connection's `exchange`; afterwards its calls do nothing.
 */
export class ServerExchange implements ClientExchange, BodySource, BodySink {
  readonly #connection: ServerConnection;
  readonly #persistent: boolean;
  readonly #withoutBody: boolean;
  readonly #minor: number;
  #awaitsContinue: boolean;
  onAbort: (() => void) | undefined = undefined;
  onDrain: (() => void) | undefined = undefined;

  /** Where the request's body goes, once that is known; until then it waits in `#queue`. */
  bodySink: BodySink | undefined = undefined;
  bodyEnded = false;
  #failure: Error | undefined;
  #queue: Buffer[] | undefined;
  #trailers: HeaderFields | undefined;

  answered = false;
  #ended = false;
  #writing: Writing = 'nothing';
  #left = 0;
  /** The head, until it goes out with the first bytes of the body. */
  #head = '';
  /** A chunk that waits for the next one, or for the end, to go out with it, and what stands before it. */
  #held: Buffer | undefined;
  #heldFront = '';

  constructor(connection: ServerConnection, { head, persistent }: ReadRequest) {
    this.#connection = connection;
    // Whoever asks for another protocol may send bytes of it whatever the answer: none of them is to be taken for a request.
    this.#persistent = persistent && head.upgrade === undefined;
    this.#withoutBody = head.method === 'HEAD';
    this.#minor = head.protocol === '1.1' ? 1 : 0;
    this.#awaitsContinue = head.expectsContinue;
  }

  get requestBody(): BodySource {
    return this;
  }

  #gone(): boolean {
    return this.#connection.exchange !== this;
  }

  // The request's body.

  pipe(sink: BodySink): void {
    this.bodySink = sink;
    const queue = this.#queue;
    this.#queue = undefined;
    let room = true;
    for (const chunk of queue ?? []) room = sink.write(chunk);
    if (this.#failure !== undefined) sink.abort(this.#failure);
    else if (this.bodyEnded) sink.end(this.#trailers);
    else if (room) this.#connection.wantBody(this);
  }

  resume(): void {
    if (!this.#gone()) this.#connection.wantBody(this);
  }

  discard(): void {
    this.bodySink = nowhere;
    this.#queue = undefined;
    if (!this.#gone()) this.#connection.wantBody(this);
  }

  /** More of the body has come. Gives whether still more may. */
  deliver(chunk: Buffer): boolean {
    if (this.bodySink !== undefined) return this.bodySink.write(chunk);
    this.#queue ??= [];
    this.#queue.push(chunk);
    return false;
  }

  bodyComplete(trailers: HeaderFields | undefined): void {
    this.bodyEnded = true;
    this.#trailers = trailers;
    this.bodySink?.end(trailers);
  }

  /** The body will never be complete. */
  bodyFailed(error: Error): void {
    if (this.bodyEnded || this.#failure !== undefined) return;
    this.#failure = error;
    this.bodySink?.abort(error);
  }

  // The answer.

  continue(): void {
    if (!this.#awaitsContinue || this.answered || this.#gone()) return;
    this.#awaitsContinue = false;
    this.#connection.sendText('HTTP/1.1 100 Continue\r\n\r\n');
  }

  inform(status: number, fields: HeaderFields): void {
    if (this.answered || this.#minor === 0 || this.#gone()) return;
    this.#connection.sendText(
      `HTTP/1.1 ${status} ${status === 103 ? 'Early Hints' : ''}\r\n${wireOf(fields)}\r\n`,
    );
  }

  answer({ status, statusText, fields, framing }: AnswerHead): BodySink {
    if (this.#gone() || this.answered) return nowhere;
    this.answered = true;
    const { kind } = framing;
    let text = `HTTP/1.1 ${status} ${statusText}\r\n${wireOf(fields)}`;
    const withoutBody = this.#withoutBody || status === 204 || status === 304;
    let close = !this.#persistent || this.#awaitsContinue || this.#connection.mustClose(this);
    if (kind === 'length' && status !== 204) text += `Content-Length: ${framing.length}\r\n`;
    else if (kind === 'none' && !withoutBody) text += 'Content-Length: 0\r\n';
    if (withoutBody) {
      this.#writing = 'nothing';
    } else if (kind !== 'open') {
      this.#writing = 'length';
      this.#left = kind === 'length' ? framing.length : 0;
    } else if (this.#minor === 1) {
      this.#writing = 'chunked';
      text += 'Transfer-Encoding: chunked\r\n';
    } else {
      this.#writing = 'rest';
      close = true;
    }
    if (close) {
      text += 'Connection: close\r\n';
      this.#connection.closeAfterAnswer();
    } else if (this.#minor === 0) {
      text += 'Connection: keep-alive\r\n';
    }
    this.#head = `${text}\r\n`;
    return this;
  }

  upgrade({ fields }: AnswerHead): { readonly source: BodySource; readonly sink: BodySink } {
    this.answered = true;
    const tunnel = this.#connection.tunnel(
      this,
      `HTTP/1.1 101 Switching Protocols\r\n${wireOf(fields)}Connection: Upgrade\r\n\r\n`,
    );
    tunnel.onDrain = () => this.onDrain?.();
    return { source: tunnel, sink: tunnel };
  }

  // The sink of the answer's body.

  readonly consumes = true;

  write(chunk: Buffer): boolean {
    if (this.#ended || chunk.length === 0 || this.#gone()) return true;
    const head = this.#head;
    switch (this.#writing) {
      case 'nothing':
        return true;
      case 'length':
        this.#left -= chunk.length;
        if (this.#left < 0) {
          this.#connection.breakOff();
          return true;
        }
        break;
      case 'chunked':
        return this.#hold(`${head}${chunk.length.toString(16)}\r\n`, chunk);
      default:
    }
    this.#head = '';
    return this.#connection.send(head, chunk, '');
  }

  end(trailers?: HeaderFields): void {
    if (this.#ended || this.#gone()) return;
    if (this.#writing === 'length' && this.#left > 0) return this.#connection.breakOff();
    this.#ended = true;
    if (this.#writing === 'chunked') this.#sendLast(trailers);
    else if (this.#head !== '') this.#connection.sendText(this.#head);
    this.#head = '';
    this.#connection.answerEnded(this);
  }

  abort(_error: Error): void {
    if (!this.#ended && !this.#gone()) this.#connection.breakOff();
  }

  flush(): void {
    if (this.#gone()) return;
    if (this.#head !== '') {
      this.#connection.sendText(this.#head);
      this.#head = '';
    }
    this.#release();
  }

  /** Small chunks wait for what else comes in the same read, where nothing stands in the socket that they would wait for anyway. */
  #hold(front: string, chunk: Buffer): boolean {
    this.#head = '';
    this.#release();
    if (chunk.length > heldBytes || !this.#connection.clear)
      return this.#connection.send(front, chunk, '\r\n');
    this.#heldFront = front;
    this.#held = Buffer.from(chunk);
    process.nextTick(releaseHeld, this);
    return true;
  }

  #sendLast(trailers: HeaderFields | undefined): void {
    const last = trailers === undefined ? lastChunk : `0\r\n${wireOf(trailers)}\r\n`;
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) this.#connection.sendText(this.#head + last);
    else this.#connection.send(this.#heldFront, held, `\r\n${last}`);
  }

  /** Sends what was held back. */
  #release(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    this.#connection.send(this.#heldFront, held, '\r\n');
  }
}

function releaseHeld(exchange: ServerExchange): void {
  exchange.flush();
}

/** Takes everything and keeps nothing. */
const nowhere: BodySink = Object.freeze({
  consumes: true,
  write: () => true,
  end: () => {},
  abort: () => {},
});
