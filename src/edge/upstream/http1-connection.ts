import type { Socket } from 'node:net';
import { BodyReader } from '../http1/body-reader.ts';
import { maxResponseHeadBytes, type ReadResponse, ResponseReader } from '../http1/read-response.ts';
import { readTrailers } from '../http1/trailers.ts';
import { Tunnel } from '../http1/tunnel.ts';
import type { WriteMemory } from '../http1/write-memory.ts';
import type { Timed, TimerWheel } from '../timers/timer-wheel.ts';
import type { TurnQueue } from '../timers/turn-queue.ts';
import { failureOf, timeoutFailure, type UpstreamFailure } from './failure.ts';
import { GatheredWrites } from './gathered-writes.ts';
import type { Http1Exchange } from './http1-exchange.ts';
import { mostInterims, tooManyInterims } from './interim-answers.ts';
import { openSocket, type SocketHome } from './open-socket.ts';

/** What the connections of one pool share. */
export interface ConnectionHome extends SocketHome {
  readonly wheel: TimerWheel;
  readonly memory: WriteMemory;
  /** For connections that have more to read than the memory for it holds. */
  readonly longReads: TurnQueue;
  /** The connection can take another request. Gives whether it is kept. */
  idle(connection: Http1Connection): boolean;
  gone(connection: Http1Connection): void;
}

/**
 * All reads of upstreams go through one piece of memory: what is kept beyond a call is copied by who keeps it. A body of
 * 64 KiB and its head fit in.
 */
const readBytes = 73_728;
/**
 * Where a read fills the memory, there is more, and it is read at once up to thirty times (libuv): megabytes, for which all
 * other connections would wait. After so many the others have their turn; and in one turn few connections read more than once.
 */
const mostFullReads = 4;
const headEnd = Buffer.from('\r\n\r\n');
const unusedIdleMs = 60_000;

function failure(code: string, message: string): UpstreamFailure {
  return { status: 502, code, message, verification: false };
}

/**
 * A connection to an upstream. It carries one request at a time, and is never used again once anything about it was not as it
 * has to be:
 *
 *   connecting --> busy --answer whole, request whole, nothing behind it--> idle --> busy ...
 *       |           '-- anything else --> gone
 *       '--> gone
 */
export class Http1Connection implements Timed {
  deadlineMs = Infinity;
  slot = -1;
  next: Timed | undefined = undefined;
  previous: Timed | undefined = undefined;

  readonly #home: ConnectionHome;
  readonly #socket: Socket;
  readonly #writes: GatheredWrites;
  readonly #reader = new ResponseReader();
  readonly #body = new BodyReader();
  #exchange: Http1Exchange | undefined;
  #connected = false;
  #gone = false;
  #requests = 0;
  /** Bytes of a head that is not complete. */
  #partial: Buffer | undefined;
  #response: ReadResponse | undefined;
  /** Bytes behind the head that was just read, while its receiver is told. */
  #atHand: Buffer | undefined;
  #atHandFrom = 0;
  #paused = false;
  #full = false;
  /** Of those that this turn allows; 0 where there is not much to read. */
  #fullReadsLeft = 0;
  #tunnel: Tunnel | undefined;
  #idleSeconds: number | undefined;

  constructor(home: ConnectionHome, scratch: Buffer) {
    this.#home = home;
    this.#socket = openSocket(home, scratch, {
      read: length => {
        this.#receive(scratch.subarray(0, length));
        return !this.#paused && !this.#hasHadItsTurn(length);
      },
      stands: () => this.#stands(),
    });
    this.#writes = new GatheredWrites(this.#socket, home.memory, () => this.#drained());
    this.#socket.on('drain', () => this.#tunnel?.drained());
    this.#socket.on('error', (error: Error) => this.#fail(failureOf(error), true));
    this.#socket.on('end', () => this.#upstreamEnded());
    this.#socket.on('close', () => this.#closed());
  }

  /** Takes a request. Only for a connection that is new or idle. */
  begin(exchange: Http1Exchange): void {
    this.#exchange = exchange;
    this.#requests += 1;
    if (this.#connected) exchange.sendHead();
    else this.#home.wheel.set(this, exchange.deadlines.connectMs);
  }

  // Called by the exchange.

  sendText(latin1: string): void {
    this.#socket.write(latin1, 'latin1');
  }

  /** Sends a text, bytes and another text, with what else is sent in this turn. Gives whether there is room for more. */
  send(front: string, bytes: Buffer, back: string): boolean {
    if (this.#writes.add(front, bytes, back)) return true;
    this.#full = true;
    this.arm();
    return false;
  }

  /** What was sent goes out now. */
  flush(): void {
    this.#writes.flush();
  }

  /** The body of the answer has a sink. */
  flow(exchange: Http1Exchange): void {
    this.#readAtHand(exchange);
    this.resume(exchange);
  }

  /** The sink of the answer has room again. */
  resume(exchange: Http1Exchange): void {
    if (exchange !== this.#exchange || !this.#paused) return;
    this.#paused = false;
    this.arm();
    this.#socket.resume();
  }

  abort(exchange: Http1Exchange): void {
    if (exchange !== this.#exchange) return;
    this.#exchange = undefined;
    this.destroy();
  }

  /** Sets the deadline for what is awaited of the upstream. */
  arm(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    const { sendMs, readMs } = exchange.deadlines;
    let awaitedMs = Infinity;
    if (this.#full) awaitedMs = sendMs;
    else if (!this.#paused && (exchange.requestEnded || exchange.answered)) awaitedMs = readMs;
    this.#home.wheel.set(this, awaitedMs);
  }

  // What happens on the wire.

  #stands(): void {
    this.#connected = true;
    if (this.#exchange === undefined) this.destroy();
    else this.#exchange.sendHead();
  }

  /** Reads on after the other connections, where there is much to read. */
  #hasHadItsTurn(length: number): boolean {
    if (length < readBytes) {
      this.#fullReadsLeft = 0;
      return false;
    }
    const { longReads } = this.#home;
    if (this.#fullReadsLeft === 0 && longReads.take()) this.#fullReadsLeft = mostFullReads;
    if (this.#fullReadsLeft > 1) {
      this.#fullReadsLeft -= 1;
      return false;
    }
    longReads.wait(() => {
      this.#fullReadsLeft = mostFullReads;
      if (!this.#paused && !this.#gone) this.#socket.resume();
    });
    return true;
  }

  #receive(view: Buffer): void {
    if (this.#tunnel !== undefined) {
      if (!this.#tunnel.deliver(Buffer.from(view))) this.#paused = true;
      return;
    }
    const exchange = this.#exchange;
    if (exchange === undefined) {
      // Nobody asked: this connection cannot be trusted any more.
      this.destroy();
      return;
    }
    if (this.#response === undefined) this.#readHead(view, exchange);
    else this.#readBody(view, 0, exchange);
    // What is awaited from now on; where all has come, the pool has set how long it may be idle.
    if (this.#exchange === exchange) this.arm();
  }

  #readHead(view: Buffer, exchange: Http1Exchange): void {
    exchange.touched = true;
    const bytes = this.#partial === undefined ? view : Buffer.concat([this.#partial, view]);
    const before = Math.max(0, (this.#partial?.length ?? 0) - 3);
    const found = bytes.indexOf(headEnd, before);
    if (found < 0) {
      if (bytes.length > maxResponseHeadBytes)
        return this.#fail(failure('EDGE_UPSTREAM_MALFORMED', 'head too large'));
      if (!mayBeHead(bytes)) return this.#fail(failure('EDGE_UPSTREAM_MALFORMED', 'no HTTP/1 answer'));
      this.#partial = bytes === view ? Buffer.from(view) : bytes;
      return;
    }
    this.#partial = undefined;
    const end = found + headEnd.length;
    const read = this.#reader.read(bytes.toString('latin1', 0, end), exchange.request.method);
    if ('fault' in read) return this.#fail(failure('EDGE_UPSTREAM_MALFORMED', read.fault));
    if (read.status < 200) return this.#interim(read, bytes, end, exchange);
    this.#response = read;
    if (read.idleSeconds !== undefined) this.#idleSeconds = read.idleSeconds;
    const { framing } = read;
    if (read.bodiless) this.#body.begin('none', 0);
    else if (read.chunked) this.#body.begin('chunked', 0);
    else if (framing.kind === 'length') this.#body.begin('length', framing.length);
    else this.#body.begin('rest', 0);
    // What of the body came with the head goes out with it: it is read when the body is asked for, and that is mostly now.
    this.#atHand = bytes;
    this.#atHandFrom = end;
    exchange.answerBegins(read);
    this.#readAtHand(exchange);
  }

  /** Reads what came with the head. */
  #readAtHand(exchange: Http1Exchange): void {
    const bytes = this.#atHand;
    if (bytes === undefined) return;
    this.#atHand = undefined;
    // Whoever was told may have had enough.
    if (this.#exchange === exchange) this.#readBody(bytes, this.#atHandFrom, exchange);
  }

  #interim(read: ReadResponse, bytes: Buffer, end: number, exchange: Http1Exchange): void {
    if (read.status === 101) {
      if (exchange.request.upgrade === undefined)
        return this.#fail(failure('EDGE_UPSTREAM_UPGRADED', 'status 101 unasked'));
      const tunnel = new Tunnel({
        socket: this.#socket,
        first: Buffer.from(bytes.subarray(end)),
        close: () => this.#endGently(),
        want: () => {
          this.#paused = false;
          this.#socket.resume();
        },
      });
      tunnel.onDrain = () => exchange.listener.drained();
      this.#tunnel = tunnel;
      this.#exchange = undefined;
      this.#paused = true;
      this.#home.wheel.set(this, Infinity);
      this.#socket.setKeepAlive(true, 60_000);
      exchange.upgraded(read, tunnel);
      return;
    }
    if (read.chunked || (read.framing.kind === 'length' && read.framing.length > 0))
      return this.#fail(failure('EDGE_UPSTREAM_MALFORMED', 'a body in an interim answer'));
    // 100 is between this connection and the upstream.
    if (++exchange.interims > mostInterims) return this.#fail(tooManyInterims);
    if (read.status !== 100) exchange.listener.informed(read.status, read.fields);
    if (end < bytes.length && this.#exchange === exchange) this.#readHead(bytes.subarray(end), exchange);
  }

  #readBody(bytes: Buffer, from: number, exchange: Http1Exchange): void {
    const body = this.#body;
    let at = from;
    if (!body.done && from < bytes.length) {
      at = body.read(bytes, from);
      const data = body.dataEnd > body.dataStart ? bytes.subarray(body.dataStart, body.dataEnd) : undefined;
      const room = data === undefined || exchange.deliver(data);
      // Behind the end nothing is to come, and what comes is to be seen.
      if (!room && !body.done) {
        this.#paused = true;
        this.arm();
      }
      if (body.fault !== '') return this.#fail(failure('EDGE_UPSTREAM_MALFORMED', body.fault));
    }
    if (!body.done || this.#exchange !== exchange) return;
    // More than was announced: the answer goes out as it is, the connection is not used again.
    if (at < bytes.length) exchange.desynchronised = true;
    const trailers = readTrailers(body.trailers);
    if (trailers !== undefined && 'fault' in trailers)
      return this.#fail(failure('EDGE_UPSTREAM_MALFORMED', trailers.fault));
    if (exchange.requestEnded) this.#release();
    exchange.answerEnds(trailers);
    // An answer before the end of the request: nobody waits for the upstream to take the rest of it.
    if (this.#exchange === exchange) this.#finish();
  }

  #finish(): void {
    this.#exchange = undefined;
    this.destroy();
  }

  /** The answer is whole: the connection is free before its client is told, whose next request may take it. */
  #release(): void {
    const exchange = this.#exchange;
    const reusable = this.#response?.persistent === true && exchange?.desynchronised === false;
    this.#exchange = undefined;
    this.#response = undefined;
    this.#full = false;
    const idleMs =
      this.#idleSeconds === undefined
        ? unusedIdleMs
        : Math.min(unusedIdleMs, this.#idleSeconds * 1_000 - 500);
    if (!reusable || idleMs <= 0 || !this.#home.idle(this)) {
      this.destroy();
      return;
    }
    this.#home.wheel.set(this, idleMs);
  }

  #upstreamEnded(): void {
    if (this.#tunnel !== undefined) {
      this.#tunnel.sourceEnded();
      return;
    }
    const exchange = this.#exchange;
    if (exchange !== undefined && this.#response !== undefined && this.#body.endsWithConnection()) {
      exchange.desynchronised = true;
      this.#exchange = undefined;
      exchange.answerEnds(undefined);
    } else {
      this.#fail(
        failure('ECONNRESET', 'the upstream closed the connection before the end of its answer'),
        true,
      );
    }
    this.destroy();
  }

  #closed(): void {
    this.destroy();
    this.#home.wheel.remove(this);
    this.#tunnel?.sourceClosed();
    this.#fail(
      failure('ECONNRESET', 'the upstream closed the connection before the end of its answer'),
      true,
    );
  }

  #drained(): void {
    if (!this.#full) return;
    this.#full = false;
    this.arm();
    this.#exchange?.listener.drained();
  }

  /** `closed`: by the other side, so that an idle connection may have been closed before the request came. */
  #fail(why: UpstreamFailure, closed = false): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.destroy();
    exchange?.fail(why, !this.#connected, closed && this.#requests > 1 && !exchange.touched);
  }

  onDeadline(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) this.destroy();
    else this.#fail(timeoutFailure(this.#connected ? 'read' : 'connect'));
  }

  /** Lets what was written go out. */
  #endGently(): void {
    this.#socket.end();
    this.#home.wheel.set(this, lingerMs);
    this.#paused = false;
    this.#socket.resume();
  }

  destroy(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#home.gone(this);
    this.#writes.drop();
    this.#socket.destroy();
  }
}

const lingerMs = 2_000;

/** Whether bytes without an end of a head may be the beginning of one. */
function mayBeHead(bytes: Buffer): boolean {
  const start = 'HTTP/1.';
  return start.startsWith(bytes.toString('latin1', 0, start.length));
}

/** Memory for all reads of a worker's upstream connections. */
export function makeScratch(): Buffer {
  return Buffer.allocUnsafeSlow(readBytes);
}
