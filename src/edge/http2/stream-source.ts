import type { Http2Stream } from 'node:http2';
import type { HeaderFields } from '../exchange/header-fields.ts';
import type { BodySink, BodySource } from '../exchange/ports.ts';
import { wasCut } from './end-of-stream.ts';
import { regularFields } from './fields.ts';

/** Whose body it is. */
export interface SourceOwner {
  /** Bytes came, or may come again. */
  moved(): void;
  /** The rest of the body is not wanted. Called at most once. */
  restRefused(): void;
}

/** The body that a peer sends on a stream. Bytes that nobody wants yet stay in the stream's flow-control window. */
export class StreamSource implements BodySource {
  /** All of it has come, and was taken. */
  complete = false;
  readonly #stream: Http2Stream;
  readonly #owner: SourceOwner;
  #sink: BodySink | undefined;
  #trailers: HeaderFields | undefined;
  #over = false;
  #failure: Error | undefined;
  /** Bytes that are still thrown away. */
  #left = Infinity;
  #tooMuch: (() => void) | undefined;

  constructor(stream: Http2Stream, owner: SourceOwner) {
    this.#stream = stream;
    this.#owner = owner;
    stream.on('trailers', (_fields, _flags, list: readonly string[]) => {
      this.#trailers = regularFields(list);
    });
  }

  /** Complete, given up, or never to be complete. */
  get over(): boolean {
    return this.#over;
  }

  /** The peer is awaited: it may send, and has not said that it is done. */
  get awaited(): boolean {
    return this.#sink !== undefined && !this.#over && !this.#stream.isPaused();
  }

  /** The receiver has enough for now. */
  get paused(): boolean {
    return this.#stream.isPaused();
  }

  pipe(sink: BodySink): void {
    if (this.#over) {
      sink.abort(this.#failure ?? new Error('the body was given up'));
      return;
    }
    this.#sink = sink;
    this.#stream.on('data', (chunk: Buffer) => {
      if (this.#over) {
        this.#skipped(chunk.length);
        return;
      }
      if (!sink.write(chunk)) this.#stream.pause();
      this.#owner.moved();
    });
    this.#stream.on('end', () => {
      if (this.#over || wasCut(this.#stream)) return;
      this.#over = true;
      this.complete = true;
      sink.end(this.#trailers);
    });
  }

  resume(): void {
    if (this.#over) return;
    this.#stream.resume();
    this.#owner.moved();
  }

  discard(): void {
    if (this.#over) return;
    this.#over = true;
    this.#owner.restRefused();
  }

  /** Reads what still comes and throws it away, up to as many bytes; beyond, `tooMuch` is called, and nothing more is read. */
  skip(bytes: number, tooMuch: () => void): void {
    if (this.#tooMuch !== undefined || this.complete) return;
    this.#over = true;
    this.#left = bytes;
    this.#tooMuch = tooMuch;
    if (this.#sink === undefined) this.#stream.on('data', (chunk: Buffer) => this.#skipped(chunk.length));
    this.#stream.resume();
  }

  #skipped(bytes: number): void {
    const before = this.#left;
    this.#left -= bytes;
    if (this.#left >= 0) return;
    this.#stream.pause();
    if (before >= 0) this.#tooMuch?.();
  }

  /** The stream is closed: where the body is not complete by now, it never will be. */
  closed(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#failure = error;
    this.#sink?.abort(error);
  }
}

/** The body of a message that has none. */
export const noBody: BodySource = Object.freeze({
  pipe: (sink: BodySink) => sink.end(),
  resume: () => {},
  discard: () => {},
});
