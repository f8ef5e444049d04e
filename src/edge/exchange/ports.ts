import type { Endpoint, UpstreamTls } from '../compile/table.ts';
import type { CheckedHead } from '../policy/request-head.ts';
import type { UpstreamFailure } from '../upstream/failure.ts';
import type { HeaderFields } from './header-fields.ts';

/**
 * The ports between a client's connection (`http1/`, `http2/`), the forwarding (`exchange/forward.ts`) and an upstream's
 * connection (`upstream/`). Plain calls instead of streams: bodies pass through in the buffers they came in.
 *
 *   client connection --ClientExchange--> forward --UpstreamConnector--> upstream connection
 */

/** Takes the bytes of a body. */
export interface BodySink {
  /**
   * True while `write` is done with the bytes when it returns: only then may a source pass memory that it goes on to use.
   * A sink without it keeps what it is given.
   */
  readonly consumes?: boolean;
  /** False where the sink is full: nothing more is to be written until the source's `resume` is called. */
  write(chunk: Buffer): boolean;
  /** The body is complete. */
  end(trailers?: HeaderFields): void;
  /** The body will never be complete: the receiver must see that it is not whole. */
  abort(error: Error): void;
  /** No more bytes are at hand: what a sink held back, to send it with more, is sent. Called by who called `answer`. */
  flush?(): void;
}

/** Gives the bytes of a body to a sink. */
export interface BodySource {
  /** Starts the flow; whatever had come before is given at once. Called once. */
  pipe(sink: BodySink): void;
  /** The sink has room again, after `write` gave false. */
  resume(): void;
  /** The rest is read and thrown away, within bounds. */
  discard(): void;
}

/** How the length of a body is known. `length` in bytes. */
export type BodyFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  /** By chunks, HTTP/2 frames or the end of the connection. */
  | { readonly kind: 'open' };

/** The head of an answer to a client. Hop-by-hop fields are gone; framing is stated apart. */
export interface AnswerHead {
  readonly status: number;
  /** Not sent over HTTP/2. */
  readonly statusText: string;
  readonly fields: HeaderFields;
  readonly framing: BodyFraming;
}

/** One request of a client and the way to answer it, whatever the protocol. Calls after the client has gone do nothing. */
export interface ClientExchange {
  readonly requestBody: BodySource;
  /** 100 Continue, where the client waits for it; at most once, and before `answer`. */
  continue(): void;
  /** An interim answer (103), where the protocol can carry it. */
  inform(status: number, fields: HeaderFields): void;
  /** Begins the one answer. The body is written to the sink that is given back, and ended even where it is empty. */
  answer(head: AnswerHead): BodySink;
  /** Changes protocols (101) and gives the raw connection both ways; HTTP/1.1 alone. */
  upgrade?(head: AnswerHead): { readonly source: BodySource; readonly sink: BodySink };
  /** Set by who serves the request: the client went away before the answer was complete. */
  onAbort: (() => void) | undefined;
  /** Set by who serves the request: the sink of the answer has room again. */
  onDrain: (() => void) | undefined;
}

/** What is sent to an upstream. */
export interface UpstreamRequest {
  readonly method: string;
  readonly authority: string;
  readonly scheme: 'http' | 'https';
  /** Path and query. */
  readonly target: string;
  /** Without Host, framing and hop-by-hop fields. */
  readonly fields: HeaderFields;
  readonly framing: BodyFraming;
  /** The protocol to change to, or undefined. */
  readonly upgrade: string | undefined;
  readonly trailersWanted: boolean;
}

/** Told by an upstream's connection. After `failed`, or the end of the body, nothing more comes. */
export interface UpstreamListener {
  /** A connection stands and the head is on its way: the body may be sent, and no other endpoint will be tried unasked. */
  sent(body: BodySink): void;
  /** The sink of the request's body has room again. */
  drained(): void;
  informed(status: number, fields: HeaderFields): void;
  answered(head: AnswerHead, body: BodySource): void;
  upgraded(head: AnswerHead, source: BodySource, sink: BodySink): void;
  /**
   * No answer, or none that can be used. `untouched`: the upstream cannot have seen the request (no connection, or an idle
   * one that was closed under it before a byte was answered to an idempotent request).
   */
  failed(failure: UpstreamFailure, untouched: boolean): void;
}

/** A request on its way. */
export interface UpstreamExchange {
  /** Gives up; the connection is not used again. */
  abort(): void;
}

/** Where a request goes, and how that is spoken to. */
export interface UpstreamTarget {
  /** The address may be a name: it is resolved when a connection is made, and what it resolves to is checked. */
  readonly endpoint: Endpoint;
  readonly tls: UpstreamTls | undefined;
}

/** Milliseconds. */
export interface UpstreamDeadlines {
  /** Until a connection stands, TLS and all. */
  readonly connectMs: number;
  /** Silence while an answer, or more of it, is awaited. */
  readonly readMs: number;
  /** Silence while the upstream takes nothing of the request's body. */
  readonly sendMs: number;
}

/** The connections to all upstreams that speak one protocol. */
export interface UpstreamConnector {
  /** Sends a request. Never throws: what goes wrong is told to the listener, and never before this call has returned. */
  open(
    target: UpstreamTarget,
    request: UpstreamRequest,
    deadlines: UpstreamDeadlines,
    listener: UpstreamListener,
  ): UpstreamExchange;
  /** Ends connections, once they are idle, whose TLS is not among these ids: a changed Secret takes no request with it. */
  keep(tlsIds: ReadonlySet<string>): void;
  /** Cuts all that is left. */
  close(): void;
}

/** Decides what becomes of a request whose head was accepted, and does it: the one way in for both protocols. Never throws. */
export type ServeRequest = (head: CheckedHead, client: ClientExchange) => void;
