import {
  constants,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerSessionOptions,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { ServeRequest } from '../exchange/ports.ts';
import type { EdgeLimits } from '../limits.ts';
import type { Refusal } from '../policy/refusal.ts';
import type { ConnectionFacts } from '../policy/request-head.ts';
import { FloodGuard } from './flood-guard.ts';
import { checkHttp2Head } from './request-head.ts';
import { ServerExchange, type Ticks } from './server-exchange.ts';
import {
  connectionWindow,
  controlBounds,
  leastRoom,
  mostRoom,
  resetBounds,
  sessionRoom,
} from './session-options.ts';

/** What all sessions of a process share. */
export interface SessionParts {
  readonly serve: ServeRequest;
  readonly limits: EdgeLimits;
  readonly options: ServerSessionOptions;
  readonly ticks: Ticks;
  /** In ticks: silence in a request or an answer, a connection before its first request, and one between requests. */
  readonly silence: number;
  readonly firstRequest: number;
  readonly idle: number;
  /** `status` is 0 where the connection is cut. */
  refused(facts: ConnectionFacts, reason: string, status: number): void;
}

/** How long a connection may take to close when all is said. */
const closingTicks = 5;
/** After so many requests given up by its client, a connection's requests wait until all that has come is read. */
const mostGivenUp = 16;
const lostConnection = new Error('the connection was cut');
const flood = new Error('too much of what leads nowhere');

function ignore(): void {}

/** One client's HTTP/2 connection. Whatever goes wrong on it ends a stream or the connection, and nothing else. */
export class ServerSession {
  readonly #socket: Socket;
  readonly #facts: ConnectionFacts;
  readonly #parts: SessionParts;
  readonly #session: ServerHttp2Session;
  readonly #open = new Set<ServerExchange>();
  readonly #resets: FloodGuard;
  readonly #control: FloodGuard;
  #requests = 0;
  /** Requests that were reset before their answer was complete. */
  #givenUp = 0;
  #restsSince: number;
  #closingSince: number | undefined;
  #draining = false;
  /** It has carried as many requests as it should. */
  #worn = false;

  /** One answer may have much waiting, many may have less each. */
  readonly #room = (): number => Math.max(leastRoom, Math.min(mostRoom, sessionRoom / this.#open.size));

  /** Throws where the socket is gone already. `closed` is called once, when the connection is. */
  constructor(socket: Socket, facts: ConnectionFacts, parts: SessionParts, closed: () => void) {
    this.#socket = socket;
    this.#facts = facts;
    this.#parts = parts;
    this.#restsSince = parts.ticks.now;
    this.#resets = new FloodGuard(resetBounds, parts.ticks);
    this.#control = new FloodGuard(controlBounds, parts.ticks);
    socket.once('close', closed);
    const session = performServerHandshake(socket, parts.options);
    this.#session = session;
    session.setLocalWindowSize(connectionWindow);
    session.on('error', (error: Error & { code?: string }) => {
      // What the protocol's library has ended by itself: frames out of order, too many invalid ones, CONTINUATION without
      // end. A session error is the client's own word.
      if (/^ERR_HTTP2_(?!SESSION)/.test(error.code ?? '')) parts.refused(facts, 'HTTP/2 protocol error', 0);
    });
    session.on('frameError', ignore);
    session.on('stream', (stream, _fields, flags, list: string[]) => this.#begin(stream, flags, list));
    session.on('ping', () => this.#count(this.#control, 'ping flood'));
    session.on('remoteSettings', () => this.#count(this.#control, 'settings flood'));
  }

  /** The requests under way are the last. */
  drain(): void {
    this.#draining = true;
    this.#session.close();
  }

  /** The next request is the last. */
  serveOne(): void {
    this.#draining = true;
  }

  /** Cuts the connection; answers that are not complete are seen to be so. */
  cut(error: Error = lostConnection): void {
    this.#session.destroy(error);
    this.#socket.destroy();
  }

  /** To be called with each tick: time-outs. */
  sweep(): void {
    const { ticks, silence, firstRequest, idle } = this.#parts;
    for (const exchange of this.#open) exchange.expire(silence);
    if (this.#open.size > 0) return;
    if (this.#session.closed || this.#session.destroyed) {
      this.#closingSince ??= ticks.now;
      if (ticks.now - this.#closingSince >= closingTicks) this.cut();
    } else if (ticks.now - this.#restsSince >= (this.#requests === 0 ? firstRequest : idle)) {
      this.#session.close();
    }
  }

  #begin(stream: ServerHttp2Stream, flags: number, list: readonly string[]): void {
    stream.on('error', ignore);
    if (stream.destroyed || stream.closed) {
      this.#count(this.#resets, 'rapid reset');
      return;
    }
    this.#requests += 1;
    const { limits, ticks, serve } = this.#parts;
    if (
      this.#draining ||
      (limits.requestsPerConnection > 0 && this.#requests >= limits.requestsPerConnection)
    )
      this.#session.close();
    const ended = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const result = checkHttp2Head(list, ended, this.#facts, limits);
    if ('refusal' in result) {
      this.#refuse(stream, result.refusal);
      return;
    }
    const exchange = new ServerExchange(stream, result.checked, ended, ticks, this.#room);
    this.#open.add(exchange);
    stream.on('close', () => {
      this.#open.delete(exchange);
      this.#restsSince = ticks.now;
      if (this.#worn && this.#open.size === 0) this.#session.close();
      if (exchange.closed()) {
        this.#givenUp += 1;
        this.#count(this.#resets, 'rapid reset');
      }
    });
    if (this.#givenUp < mostGivenUp) {
      serve(result.checked, exchange);
      return;
    }
    // It may be reset by the very bytes behind it, as others were before: then it reaches no upstream (CVE-2023-44487).
    setImmediate(() => {
      if (!stream.destroyed && !stream.closed) serve(result.checked, exchange);
    });
  }

  #refuse(stream: ServerHttp2Stream, { status, reason }: Refusal): void {
    this.#restsSince = this.#parts.ticks.now;
    this.#parts.refused(this.#facts, reason, status);
    stream.respond([':status', String(status)], { endStream: true });
    this.#count(this.#resets, reason);
  }

  #count(guard: FloodGuard, what: string): void {
    if (guard.allow() || this.#session.destroyed) return;
    this.#parts.refused(this.#facts, what, 0);
    this.#session.destroy(flood, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }
}
