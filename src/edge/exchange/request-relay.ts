import type { ForwardDecision } from '../policy/decision.ts';
import type { HeaderFields } from './header-fields.ts';
import { requestTrailers } from './passed-trailers.ts';
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
  readonly #decision: Pick<ForwardDecision, 'bodyLimit' | 'requestEdits'>;
  readonly #owner: RelayOwner;
  #over = false;

  constructor(
    sink: BodySink,
    decision: Pick<ForwardDecision, 'bodyLimit' | 'requestEdits'>,
    owner: RelayOwner,
  ) {
    this.#sink = sink;
    this.#decision = decision;
    this.#owner = owner;
  }

  get consumes(): boolean {
    return this.#sink.consumes === true;
  }

  write(chunk: Buffer): boolean {
    if (this.#over) return true;
    this.bytes += chunk.length;
    if (this.bytes <= this.#decision.bodyLimit) return this.#sink.write(chunk);
    this.#over = true;
    this.#owner.bodyTooLong();
    return true;
  }

  end(trailers?: HeaderFields): void {
    if (this.#over) return;
    this.#over = true;
    this.ended = true;
    this.#sink.end(requestTrailers(trailers, this.#decision.requestEdits));
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
