import type { HeaderFields } from './header-fields.ts';
import type { BodySink } from './ports.ts';

/** Who is told of what a request's body comes to. */
export interface RelayOwner {
  /** The body is longer than it may be. */
  bodyTooLong(): void;
  /** The body will never be complete: the client has gone, or sent what is no body. */
  bodyFailed(error: Error): void;
  bodyEnded(): void;
}

/** Takes a request's body to the upstream, counts it, and holds it to its limit. */
export class RequestRelay implements BodySink {
  bytes = 0;
  ended = false;
  readonly #sink: BodySink;
  readonly #limit: number;
  readonly #owner: RelayOwner;
  #over = false;

  constructor(sink: BodySink, limit: number, owner: RelayOwner) {
    this.#sink = sink;
    this.#limit = limit;
    this.#owner = owner;
  }

  get consumes(): boolean {
    return this.#sink.consumes === true;
  }

  write(chunk: Buffer): boolean {
    if (this.#over) return true;
    this.bytes += chunk.length;
    if (this.bytes <= this.#limit) return this.#sink.write(chunk);
    this.#over = true;
    this.#owner.bodyTooLong();
    return true;
  }

  end(trailers?: HeaderFields): void {
    if (this.#over) return;
    this.#over = true;
    this.ended = true;
    this.#sink.end(trailers);
    this.#owner.bodyEnded();
  }

  abort(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#owner.bodyFailed(error);
  }

  /** What still comes is let fall. */
  stop(): void {
    this.#over = true;
  }
}
