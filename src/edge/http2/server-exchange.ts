import type { ServerHttp2Stream } from 'node:http2';
import type { HeaderFields } from '../exchange/header-fields.ts';
import type { AnswerHead, BodySink, BodySource, ClientExchange } from '../exchange/ports.ts';
import { BodyFault } from '../http1/body-fault.ts';
import type { CheckedHead } from '../policy/request-head.ts';
import { appendFields, interimFields, trailerFields } from './fields.ts';
import { noBody, type SourceOwner, StreamSource } from './stream-source.ts';

/** Counts up, about once a second: what time-outs are measured by without asking the clock for each chunk. */
export interface Ticks {
  now: number;
}

/** Of a body that nobody wants any more: bytes, and ticks after the answer. */
const skippedBytes = 1_048_576;
const skippingTicks = 5;
const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);
const gone = new Error('the client has gone');

/** A request that came over HTTP/2, and its stream. The exchange is itself the sink of its answer's body. */
export class ServerExchange implements ClientExchange, BodySink, SourceOwner {
  onAbort: (() => void) | undefined;
  onDrain: (() => void) | undefined;
  readonly requestBody: BodySource;
  readonly #stream: ServerHttp2Stream;
  readonly #ticks: Ticks;
  /** Bytes of an answer that may wait for the client. */
  readonly #room: () => number;
  readonly #source: StreamSource | undefined;
  readonly #head: boolean;
  readonly #expectsContinue: boolean;
  #answered = false;
  /** The answer is written, or will never be. */
  #over = false;
  #full = false;
  #watchesDrain = false;
  #trailers: HeaderFields | undefined;
  #movedAt: number;

  constructor(
    stream: ServerHttp2Stream,
    { method, expectsContinue }: Pick<CheckedHead, 'method' | 'expectsContinue'>,
    ended: boolean,
    ticks: Ticks,
    room: () => number,
  ) {
    this.#stream = stream;
    this.#expectsContinue = expectsContinue;
    this.#ticks = ticks;
    this.#room = room;
    this.#movedAt = ticks.now;
    this.#head = method === 'HEAD';
    this.#source = ended ? undefined : new StreamSource(stream, this);
    this.requestBody = this.#source ?? noBody;
  }

  continue(): void {
    if (this.#expectsContinue) this.#interim(100, undefined);
  }

  inform(status: number, fields: HeaderFields): void {
    this.#interim(status, fields);
  }

  answer(head: AnswerHead): BodySink {
    if (this.#answered || this.#closed()) return this;
    this.#answered = true;
    this.#movedAt = this.#ticks.now;
    const list: string[] = [':status', String(head.status)];
    appendFields(list, head.fields);
    const { framing } = head;
    if (framing.kind === 'length' && !bodiless.has(head.status))
      list.push('content-length', String(framing.length));
    const empty =
      this.#head ||
      framing.kind === 'none' ||
      (framing.kind === 'length' && framing.length === 0) ||
      bodiless.has(head.status);
    const mayTrail = !empty && framing.kind === 'open';
    if (mayTrail) this.#stream.on('wantTrailers', () => this.#sendTrailers());
    // Where there is no body the answer is over with its head, and what is written is thrown away.
    this.#over = empty;
    try {
      this.#stream.respond(list, { endStream: empty, waitForTrailers: mayTrail });
      if (empty) this.#answerDone();
    } catch (error) {
      this.#cut(error);
    }
    return this;
  }

  write(chunk: Buffer): boolean {
    if (this.#over || this.#closed() || chunk.length === 0) return true;
    this.#movedAt = this.#ticks.now;
    // Beyond what Node calls full, so that the upstream need not wait for each chunk to be out.
    if (this.#stream.write(chunk) || this.#stream.writableLength < this.#room()) return true;
    this.#full = true;
    if (!this.#watchesDrain) {
      this.#watchesDrain = true;
      this.#stream.on('drain', () => this.#drained());
    }
    return false;
  }

  end(trailers?: HeaderFields): void {
    if (this.#over) return;
    this.#over = true;
    this.#trailers = trailers;
    if (this.#closed()) return;
    this.#stream.end();
    this.#answerDone();
  }

  abort(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#cut(error);
  }

  /** The stream is closed, whoever did it. Gives whether that was before the answer was complete. */
  closed(): boolean {
    this.#source?.closed(gone);
    if (this.#over) return false;
    this.#over = true;
    this.onAbort?.();
    return true;
  }

  /**
   * Ends the exchange where the client has been silent for too long: while its body is awaited and nothing is answered
   * (with 408), or while it takes nothing of the answer.
   */
  expire(silentTicks: number): void {
    const silent = this.#ticks.now - this.#movedAt;
    if (this.#over && silent >= skippingTicks && this.#stream.writableFinished) this.#closeAfterAnswer();
    if (silent < silentTicks || this.#closed()) return;
    if (!this.#answered && this.#source?.awaited === true) {
      // Whoever takes the body answers.
      this.#source.closed(new BodyFault(408, 'the client sent no more of its body'));
    } else if (this.#full || this.#stream.writableLength > 0) {
      this.#cut(new Error('the client takes nothing of the answer'));
    }
  }

  moved(): void {
    this.#movedAt = this.#ticks.now;
  }

  /** Read for a while and thrown away: not every client looks for an answer before it has sent all of its body. */
  restRefused(): void {
    this.#source?.skip(skippedBytes, () => this.#closeAfterAnswer());
  }

  /** The client is told to send no more, once the answer is out (RFC 9113 section 8.1). */
  #closeAfterAnswer(): void {
    if (this.#closed()) return;
    if (this.#stream.writableFinished) this.#stream.close();
    else this.#stream.once('finish', () => this.#stream.close());
  }

  #answerDone(): void {
    if (this.#source?.complete === false) this.restRefused();
  }

  #drained(): void {
    this.#full = false;
    this.#movedAt = this.#ticks.now;
    this.onDrain?.();
  }

  #sendTrailers(): void {
    if (!this.#closed()) this.#stream.sendTrailers(trailerFields(this.#trailers));
  }

  #closed(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  /** With an error the stream is reset. Node's `close` would end the body first, as if it were whole. */
  #cut(error: unknown): void {
    this.#stream.destroy(error instanceof Error ? error : gone);
  }

  #interim(status: number, fields: HeaderFields | undefined): void {
    if (this.#answered || this.#closed() || status === 101) return;
    try {
      this.#stream.additionalHeaders(interimFields(status, fields));
    } catch {
      // An interim answer that cannot be sent is no loss to the answer.
    }
  }
}
