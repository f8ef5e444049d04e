import {
  constants,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerSessionOptions,
} from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { ServeRequest } from '../exchange/ports.ts';
import type { EdgeLimits } from '../limits.ts';
import type { Refusal } from '../policy/refusal.ts';
import type { ConnectionFacts } from '../policy/request-head.ts';
import { FloodGuard } from './flood-guard.ts';
import { frameType, headBytes } from './frame-follower.ts';
import { FramedSocket } from './framed-socket.ts';
import { ReceivedFrames } from './received-frames.ts';
import { checkHttp2Head } from './request-head.ts';
import { ServerExchange, type Ticks } from './server-exchange.ts';
import { connectionWindow, leastRoom, mostRoom, resetBounds, sessionRoom } from './session-options.ts';

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

/** How long a client may take to acknowledge that the end is near: a round trip, and some more. */
const noticeTicks = 2;
/** How long a connection may take to close when all is said. */
const closingTicks = 5;
/** What a GOAWAY names that names no last request (RFC 9113 section 6.8): open no more, what is on its way will be served. */
const anyStream = 0x7fffffff;
/** After so many requests given up by its client, a connection's requests wait until all that has come is read. */
const mostGivenUp = 16;
const lostConnection = new Error('the connection was cut');
const flood = new Error('too much of what leads nowhere');

function ignore(): void {}

/**
 * One client's HTTP/2 connection. Whatever goes wrong on it ends a stream or the connection, and nothing else.
 *
 *   open --drain, idle, worn--> leaving (GOAWAY for what is not sent yet, PING) --PING ACK, or too late--> closed (GOAWAY
 *   with the last request that is served) --its answers are out--> gone
 */
export class ServerSession {
  readonly #socket: Socket;
  readonly #facts: ConnectionFacts;
  readonly #parts: SessionParts;
  readonly #session: ServerHttp2Session;
  readonly #open = new Set<ServerExchange>();
  readonly #framed: FramedSocket;
  readonly #received: ReceivedFrames;
  readonly #resets: FloodGuard;
  #requests = 0;
  #lastStream = 0;
  /** Requests that were reset before their answer was complete. */
  #givenUp = 0;
  #restsSince: number;
  #leavingSince: number | undefined;
  #closingSince: number | undefined;
  #draining = false;

  /** One answer may have much waiting, many may have less each. */
  readonly #room = (): number => Math.max(leastRoom, Math.min(mostRoom, sessionRoom / this.#open.size));

  /** Throws where the socket is gone already. `closed` is called once, when the connection is. */
  constructor(socket: Socket, facts: ConnectionFacts, parts: SessionParts, closed: () => void) {
    this.#socket = socket;
    this.#facts = facts;
    this.#parts = parts;
    this.#restsSince = parts.ticks.now;
    this.#resets = new FloodGuard(resetBounds(parts.limits), parts.ticks);
    this.#received = new ReceivedFrames(parts.ticks, parts.limits);
    if (socket.destroyed) throw lostConnection;
    socket.once('close', closed);
    // RFC 9113 section 9.2.1.
    if (socket instanceof TLSSocket) socket.disableRenegotiation();
    this.#framed = new FramedSocket(socket, bytes => this.#take(bytes));
    const session = performServerHandshake(this.#framed, parts.options);
    this.#session = session;
    session.setLocalWindowSize(connectionWindow);
    session.on('error', (error: Error & { code?: string }) => {
      // What the protocol's library has ended by itself: frames out of order, too many invalid ones. A session error is the
      // client's own word.
      if (/^ERR_HTTP2_(?!SESSION)/.test(error.code ?? '')) parts.refused(facts, 'HTTP/2 protocol error', 0);
    });
    session.on('frameError', ignore);
    session.on('stream', (stream, _fields, flags, list: string[]) => this.#begin(stream, flags, list));
  }

  /** The requests under way, and those that are on their way, are the last. */
  drain(): void {
    this.#draining = true;
    this.#leave();
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
    const session = this.#session;
    for (const exchange of this.#open) exchange.expire(silence);
    // A tick may come right after what it is counted from.
    if (ticks.now - (this.#received.sectionSince ?? ticks.now) > firstRequest)
      this.#cutOff('head not in time');
    if (ticks.now - (this.#leavingSince ?? ticks.now) > noticeTicks) session.close();
    if (this.#open.size > 0) return;
    if (session.closed || session.destroyed) {
      this.#closingSince ??= ticks.now;
      if (ticks.now - this.#closingSince >= closingTicks) this.cut();
    } else if (ticks.now - this.#restsSince > (this.#requests === 0 ? firstRequest : idle)) {
      this.#leave();
    }
  }

  /** The parts in which the bytes that came are to be read. */
  #take(bytes: Buffer): readonly Buffer[] {
    if (this.#session.destroyed) return [];
    const flood = this.#received.look(bytes);
    if (flood === undefined) return this.#received.parts(bytes);
    this.#cutOff(flood);
    return [];
  }

  /** The client is told to open no more requests. Those that cross the notice are served: its acknowledgement comes behind them. */
  #leave(): void {
    if (this.#leavingSince !== undefined || this.#session.closed || this.#session.destroyed) return;
    this.#leavingSince = this.#parts.ticks.now;
    this.#framed.insert(goaway(anyStream, constants.NGHTTP2_NO_ERROR));
    this.#session.ping(() => this.#session.close());
  }

  #begin(stream: ServerHttp2Stream, flags: number, list: readonly string[]): void {
    stream.on('error', ignore);
    if (stream.destroyed || stream.closed) {
      this.#count(this.#resets, 'rapid reset');
      return;
    }
    this.#requests += 1;
    this.#lastStream = stream.id ?? this.#lastStream;
    const { limits, ticks, serve } = this.#parts;
    if (
      this.#draining ||
      (limits.requestsPerConnection > 0 && this.#requests >= limits.requestsPerConnection)
    )
      this.#leave();
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
    if (!guard.allow()) this.#cutOff(what);
  }

  #cutOff(what: string): void {
    if (this.#session.destroyed) return;
    this.#parts.refused(this.#facts, what, 0);
    // Node's own is lost where a write is under way.
    this.#framed.insert(goaway(this.#lastStream, constants.NGHTTP2_ENHANCE_YOUR_CALM));
    this.#session.destroy(flood, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }
}

function goaway(lastStream: number, code: number): Buffer {
  const frame = Buffer.alloc(headBytes + 8);
  frame.writeUIntBE(8, 0, 3);
  frame.writeUInt8(frameType.goaway, 3);
  frame.writeUInt32BE(lastStream, headBytes);
  frame.writeUInt32BE(code, headBytes + 4);
  return frame;
}
