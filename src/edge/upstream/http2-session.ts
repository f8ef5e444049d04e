import {
  type ClientHttp2Session,
  type ClientSessionOptions,
  connect as connectHttp2,
  constants,
} from 'node:http2';
import { connect as connectPlain, type LookupFunction, type Socket } from 'node:net';
import { connect as connectSecure, type SecureContext, type TLSSocket } from 'node:tls';
import type { Endpoint, UpstreamTls } from '../compile/table.ts';
import type { Timed, TimerWheel } from '../timers/timer-wheel.ts';
import { failureOf, timeoutFailure, type UpstreamFailure } from './failure.ts';
import type { Http2Exchange } from './http2-exchange.ts';
import { upstreamIdentity } from './upstream-context.ts';

/** What the sessions of one pool share. */
export interface SessionHome {
  readonly endpoint: Endpoint;
  readonly tls: UpstreamTls | undefined;
  readonly context: SecureContext | undefined;
  readonly lookup: LookupFunction;
  readonly wheel: TimerWheel;
  /** Of the last connection that was verified: saves the next one most of its handshake. */
  resumption: Buffer | undefined;
  gone(session: Http2UpstreamSession): void;
}

/** Streams on one connection, where the upstream allows as many. Beyond, another connection is opened. */
const mostStreams = 100;
const idleMs = 60_000;
const streamWindow = 262_144;
const connectionWindow = 1_048_576;

const sessionOptions: ClientSessionOptions & { strictSingleValueFields: boolean } = {
  settings: { enablePush: false, initialWindowSize: streamWindow },
  maxSessionMemory: 50,
  maxHeaderListPairs: 256,
  maxSettings: 32,
  peerMaxConcurrentStreams: mostStreams,
  // What a client repeats goes on as it is, as over HTTP/1.1.
  strictSingleValueFields: false,
};

const retired = new Error('the connection is not used any more');

function ignore(): void {}

/**
 * One HTTP/2 connection to an upstream.
 *
 *   connecting --> open --GOAWAY, a silent stream, a changed Secret--> closing (streams end) --> gone
 *       '--------------- refused, not verified, no HTTP/2, too late ---------------------------^
 */
export class Http2UpstreamSession implements Timed {
  deadlineMs = Infinity;
  slot = -1;
  next: Timed | undefined = undefined;
  previous: Timed | undefined = undefined;

  readonly #home: SessionHome;
  readonly #socket: Socket;
  readonly #exchanges = new Set<Http2Exchange>();
  #session: ClientHttp2Session | undefined;
  #limit = mostStreams;
  #closing = false;
  #gone = false;
  /** Streams above this one were not looked at by the upstream. */
  #lastStream = Infinity;
  #failure: UpstreamFailure | undefined;

  constructor(home: SessionHome, connectMs: number) {
    this.#home = home;
    const { endpoint, tls, context, lookup, wheel } = home;
    const target = { host: endpoint.address, port: endpoint.port, noDelay: true, lookup };
    if (tls === undefined) {
      this.#socket = connectPlain(target);
      this.#socket.once('connect', () => this.#stands());
    } else {
      this.#socket = this.#connectSecure(target, tls, context);
    }
    this.#socket.on('error', (error: Error) => this.#lost(failureOf(error)));
    this.#socket.on('close', () => this.#lost(closedFailure));
    wheel.set(this, connectMs);
  }

  #connectSecure(
    target: { host: string; port: number; noDelay: boolean; lookup: LookupFunction },
    tls: UpstreamTls,
    context: SecureContext | undefined,
  ): TLSSocket {
    const home = this.#home;
    const socket = connectSecure({
      ...target,
      ...(context === undefined ? {} : { secureContext: context }),
      ...(home.resumption === undefined ? {} : { session: home.resumption }),
      ALPNProtocols: ['h2'],
      rejectUnauthorized: tls.verify,
      servername: tls.serverName ?? '',
      // Without SNI Node would check the certificate against the address.
      checkServerIdentity: upstreamIdentity(tls),
    });
    // A session is worth something only after its connection was verified: a resumed one is not verified again.
    let made: Buffer | undefined;
    let verified = false;
    socket.on('session', (session: Buffer) => {
      made = session;
      if (verified) home.resumption = session;
    });
    socket.once('secureConnect', () => {
      if (socket.alpnProtocol !== 'h2') {
        this.#lost(noHttp2);
        return;
      }
      verified = true;
      home.resumption = made ?? home.resumption;
      this.#stands();
    });
    return socket;
  }

  /** Another request may be given to it. */
  get takesMore(): boolean {
    return !this.#closing && !this.#gone && this.#exchanges.size < this.#limit;
  }

  get socket(): Socket {
    return this.#socket;
  }

  get wheel(): TimerWheel {
    return this.#home.wheel;
  }

  begin(exchange: Http2Exchange): void {
    this.#exchanges.add(exchange);
    if (this.#session === undefined) return;
    this.#home.wheel.remove(this);
    const session = this.#session;
    process.nextTick(() => this.#send(exchange, session));
  }

  /** The exchange is over. */
  end(exchange: Http2Exchange): void {
    if (!this.#exchanges.delete(exchange) || this.#exchanges.size > 0 || this.#gone) return;
    if (this.#closing || this.#session === undefined) this.#leave();
    else this.#home.wheel.set(this, idleMs);
  }

  /** Takes no more requests, and closes when those under way are over. */
  retire(): void {
    // A GOAWAY of ours now could overtake the heads of requests, and have them refused.
    this.#closing = true;
    if (this.#exchanges.size === 0) this.#leave();
  }

  /** Nothing is under way: the upstream is told that nothing more comes. */
  #leave(): void {
    const session = this.#session;
    if (this.#gone || session === undefined) {
      this.destroy();
      return;
    }
    this.#forget();
    session.destroy();
  }

  /** Cuts the connection. */
  destroy(): void {
    if (this.#gone) return;
    this.#lost(closedFailure);
  }

  onDeadline(): void {
    if (this.#session === undefined) this.#lost(timeoutFailure('connect'));
    else if (this.#exchanges.size === 0) this.retire();
  }

  /** Whether a stream that failed cannot have been seen. */
  unseen(streamId: number | undefined): boolean {
    return this.#session === undefined || streamId === undefined || streamId > this.#lastStream;
  }

  #stands(): void {
    if (this.#gone) return;
    const session = connectHttp2('http://upstream', {
      ...sessionOptions,
      createConnection: () => this.#socket,
    });
    this.#session = session;
    this.#home.wheel.remove(this);
    session.setLocalWindowSize(connectionWindow);
    session.on('error', (error: Error) => this.#lost(failureOf(error)));
    session.on('frameError', ignore);
    session.on('remoteSettings', ({ maxConcurrentStreams }) => {
      this.#limit = Math.min(mostStreams, maxConcurrentStreams ?? mostStreams);
    });
    session.on('goaway', (code: number, lastStream: number) => {
      this.#closing = true;
      if (code !== constants.NGHTTP2_NO_ERROR) this.#failure = goawayFailure(code);
      this.#lastStream = lastStream;
    });
    session.on('close', () => this.#lost(closedFailure));
    for (const exchange of this.#exchanges) this.#send(exchange, session);
    if (this.#exchanges.size === 0) this.#home.wheel.set(this, idleMs);
  }

  #send(exchange: Http2Exchange, session: ClientHttp2Session): void {
    if (this.#gone || !this.#exchanges.has(exchange)) return;
    exchange.send(session);
  }

  #forget(): void {
    this.#gone = true;
    this.#closing = true;
    this.#home.wheel.remove(this);
    this.#home.gone(this);
  }

  #lost(failure: UpstreamFailure): void {
    if (this.#gone) return;
    this.#forget();
    for (const exchange of [...this.#exchanges]) exchange.sessionLost(this.#failure ?? failure);
    this.#exchanges.clear();
    this.#session?.destroy(retired);
    this.#socket.destroy();
  }
}

const closedFailure: UpstreamFailure = {
  status: 502,
  code: 'ECONNRESET',
  message: 'the upstream closed the connection',
  verification: false,
};

const noHttp2: UpstreamFailure = {
  status: 502,
  code: 'EDGE_UPSTREAM_NO_HTTP2',
  message: 'the upstream did not choose h2 in ALPN, which GRPCS needs',
  verification: false,
};

function goawayFailure(code: number): UpstreamFailure {
  return {
    status: 502,
    code: 'EDGE_UPSTREAM_GOAWAY',
    message: `the upstream ended the connection with code ${code}`,
    verification: false,
  };
}
