import type { Socket } from 'node:net';
import type { Refusal } from '../policy/refusal.ts';
import type { ConnectionFacts } from '../policy/request-head.ts';
import type { Timed } from '../timers/timer-wheel.ts';
import { BodyFault } from './body-fault.ts';
import { BodyReader } from './body-reader.ts';
import type { ConnectionHost } from './connection-host.ts';
import { readDirectly, readOn } from './direct-reads.ts';
import { HeadFinder } from './head-finder.ts';
import { refusalText } from './own-answers.ts';
import { type ReadRequest, RequestReader } from './read-request.ts';
import { ServerExchange } from './server-exchange.ts';
import { readTrailers } from './trailers.ts';
import { Tunnel } from './tunnel.ts';

/** A sink is full with this many bytes in small pieces in it. */
const fullBytes = 65_536;
/** Bytes of further requests that wait while one is answered. */
const pipelinedBytes = 65_536;
/** From this number of bytes on, memory is not left to the collection of garbage, and one piece is written after the other. */
const largeBytes = 16_384;
/** Bytes up to this number are read in one go, where they hold a whole head. */
const shortBytes = 8_192;
/** What is read of a body that nobody wants, so that the client gets to read its answer (RFC 9112 section 9.6). */
const discardBytes = 8 * 1_048_576;
const discardMs = 5_000;
const lingerMs = 2_000;
const space = 0x20;
const emptyLine = '\r\n\r\n';
const cr = 0x0d;
const lf = 0x0a;

/**
 * What a connection is about:
 *
 *   idle --first byte--> head --complete--> request --answered, body read--> idle
 *                         |                   |--101--> tunnel
 *                         '--refused----------'--closing--> lingering --closed by the client, or too long--> gone
 */
type Phase = 'idle' | 'head' | 'request' | 'discarding' | 'tunnel' | 'lingering' | 'gone';

/** One connection of a client: reads its requests one after the other, and writes the answers. */
export class ServerConnection implements Timed {
  deadlineMs = Infinity;
  slot = -1;
  next: Timed | undefined = undefined;
  previous: Timed | undefined = undefined;

  readonly #host: ConnectionHost;
  readonly #socket: Socket;
  readonly #facts: ConnectionFacts;
  readonly #reader: RequestReader;
  readonly #body = new BodyReader();
  #finder: HeadFinder | undefined;
  #phase: Phase = 'idle';
  #requests = 0;
  #mayBeEmptyLine = false;
  /** The request that is served. */
  exchange: ServerExchange | undefined = undefined;
  /** Bytes that are not read yet. */
  #input: Buffer | undefined;
  #at = 0;
  #reading = false;
  #paused = false;
  /** The client takes no more bytes for the moment. */
  #full = false;
  #closing = false;
  #ended = false;
  #leftToDiscard = 0;
  /** How much stood in the socket when its client was last looked at. */
  #stuckBytes = 0;
  #tunnel: Tunnel | undefined;

  constructor(host: ConnectionHost, socket: Socket, facts: ConnectionFacts) {
    this.#host = host;
    this.#socket = socket;
    this.#facts = facts;
    this.#reader = new RequestReader(facts, host.limits);
    socket.on('drain', () => this.#drained());
    socket.on('close', () => this.#closed());
    host.wheel.set(this, host.timeouts.headMs);
    readDirectly(socket, chunk => this.#receive(chunk));
  }

  // What comes in.

  /** Gives whether more may come. */
  #receive(chunk: Buffer | null): boolean {
    try {
      if (chunk === null) this.#clientEnded();
      else this.#take(chunk);
    } catch (error) {
      this.#host.failed(error);
      this.#socket.destroy();
    }
    return !this.#paused;
  }

  #take(chunk: Buffer): void {
    switch (this.#phase) {
      case 'tunnel':
        this.#touchTunnel();
        if (this.#tunnel?.deliver(chunk) === false) this.#paused = true;
        return;
      case 'lingering':
      case 'gone':
        return;
      default:
    }
    if (this.#input === undefined) {
      this.#input = chunk;
      this.#at = 0;
    } else {
      this.#input = Buffer.concat([this.#input.subarray(this.#at), chunk]);
      this.#at = 0;
    }
    this.#read();
  }

  /** Reads what there is, request by request. */
  #read(): void {
    // A request that is answered at once comes back here.
    if (this.#reading) return;
    this.#reading = true;
    while (this.#input !== undefined && this.#readSome(this.#input));
    this.#reading = false;
  }

  /** Gives whether to go on. */
  #readSome(input: Buffer): boolean {
    switch (this.#phase) {
      case 'idle':
      case 'head':
        return this.#readHead(input);
      case 'request':
      case 'discarding':
        if (!this.#body.done) return this.#readBody(input);
        // The next request waits for its turn.
        if (input.length - this.#at > pipelinedBytes) this.#paused = true;
        return false;
      default:
        return false;
    }
  }

  /** Forgets the bytes that were read. */
  #readTo(at: number): void {
    const { length } = this.#input ?? { length: 0 };
    this.#at = at;
    if (at >= length) this.#input = undefined;
  }

  #readHead(input: Buffer): boolean {
    if (
      this.#phase === 'idle' &&
      this.#at === 0 &&
      input[0] !== cr &&
      input.length <= shortBytes &&
      input.length <= this.#host.limits.headBytes
    ) {
      const text = input.toString('latin1');
      const repeated = this.#reader.readRepeated(text);
      if (repeated !== undefined) {
        this.#input = undefined;
        return this.#begin(repeated);
      }
      const end = text.indexOf(emptyLine) + emptyLine.length;
      if (end >= emptyLine.length) {
        this.#readTo(end);
        return this.#begin(this.#reader.read(text.slice(0, end)));
      }
    }
    if (this.#phase === 'idle') {
      // One empty line before a request is let pass (RFC 9112 section 2.2).
      if (this.#mayBeEmptyLine && input[this.#at] === cr) {
        // Its second byte may be on its way.
        if (input.length === this.#at + 1) return false;
        if (input[this.#at + 1] === lf) {
          this.#mayBeEmptyLine = false;
          this.#readTo(this.#at + 2);
        }
      }
      if (this.#input === undefined) return false;
      const first = input[this.#at] ?? space;
      if (first <= space && first !== cr) return this.#refuse({ status: 400, reason: 'malformed method' });
      if (first >= 0x7f) return this.#refuse({ status: 400, reason: 'malformed method' });
      this.#phase = 'head';
      this.#finder ??= new HeadFinder();
      this.#finder.reset();
      if (this.#requests > 0) this.#host.wheel.set(this, this.#host.timeouts.headMs);
    }
    const rest = this.#at === 0 ? input : input.subarray(this.#at);
    const found = this.#finder?.find(rest, this.#host.limits) ?? 0;
    if (typeof found !== 'number') return this.#refuse(found);
    if (found === 0) return false;
    const read = this.#reader.read(rest.toString('latin1', 0, found));
    this.#readTo(this.#at + found);
    return this.#begin(read);
  }

  #begin(read: ReadRequest | Refusal): boolean {
    if ('status' in read) return this.#refuse(read);
    this.#requests += 1;
    this.#phase = 'request';
    const { head } = read;
    const exchange = new ServerExchange(this, read);
    this.exchange = exchange;
    if (head.body !== 'none') {
      this.#body.begin(head.body, head.contentLength);
      this.#arm();
    } else {
      exchange.bodyEnded = true;
      this.#host.wheel.set(this, Infinity);
    }
    this.#host.serve(exchange, head);
    return true;
  }

  #readBody(input: Buffer): boolean {
    const body = this.#body;
    const end = body.read(input, this.#at);
    const data = body.dataEnd > body.dataStart ? input.subarray(body.dataStart, body.dataEnd) : undefined;
    this.#readTo(end);
    if (this.#phase === 'discarding') {
      this.#leftToDiscard -= data?.length ?? 0;
      if (this.#leftToDiscard < 0 || body.fault !== '') {
        this.#linger();
        return false;
      }
      if (body.done) this.#nextRequest();
      return true;
    }
    const { exchange } = this;
    if (exchange === undefined) return false;
    if (data !== undefined && !exchange.deliver(data)) this.#paused = true;
    // Whoever got it may have answered, or closed the connection.
    if (exchange !== this.exchange) return true;
    if (body.fault !== '') return this.#bodyFault(new BodyFault(400, body.fault));
    if (body.done) {
      const trailers = readTrailers(body.trailers);
      if (trailers !== undefined && 'fault' in trailers)
        return this.#bodyFault(new BodyFault(400, trailers.fault));
      exchange.bodyComplete(trailers);
    }
    this.#arm();
    return true;
  }

  /** The body cannot be read on: so ends the connection, after an answer that says so where none was begun. */
  #bodyFault(fault: BodyFault): boolean {
    this.#closing = true;
    this.#input = undefined;
    this.#host.refused({ status: fault.status, reason: fault.message }, this.#facts);
    this.#paused = true;
    this.#host.wheel.set(this, Infinity);
    this.exchange?.bodyFailed(fault);
    return false;
  }

  #refuse(refusal: Refusal | { status: 408; reason: string }): boolean {
    this.#host.refused(refusal, this.#facts);
    this.#input = undefined;
    this.#socket.write(refusalText(refusal.status), 'latin1');
    this.#linger();
    return false;
  }

  #clientEnded(): void {
    this.#ended = true;
    if (this.#phase === 'tunnel') this.#tunnel?.sourceEnded();
    // Whoever closes has gone, as far as anyone can tell: an answer that is still awaited is not waited for. What is written
    // already goes out.
    else if (this.exchange !== undefined || this.#phase === 'lingering' || this.#socket.writableLength === 0)
      this.#socket.destroy();
    else this.#linger();
  }

  #closed(): void {
    this.#phase = 'gone';
    this.#input = undefined;
    this.#host.wheel.remove(this);
    const { exchange } = this;
    this.exchange = undefined;
    this.#tunnel?.sourceClosed();
    this.#tunnel = undefined;
    if (exchange !== undefined) {
      exchange.bodyFailed(new Error('the client has gone'));
      exchange.onAbort?.();
    }
    this.#host.closed(this);
  }

  // Called by the exchange.

  /** The request's body may flow. */
  wantBody(exchange: ServerExchange): void {
    if (exchange !== this.exchange || !this.#paused) return;
    this.#paused = false;
    this.#arm();
    this.#resume();
  }

  /** Whether the connection is to be closed after the answer that begins now. */
  mustClose(exchange: ServerExchange): boolean {
    const { draining, limits } = this.#host;
    return (
      draining ||
      this.#closing ||
      (limits.requestsPerConnection > 0 && this.#requests >= limits.requestsPerConnection) ||
      (!exchange.bodyEnded && this.#body.left !== Infinity && this.#body.left > discardBytes)
    );
  }

  closeAfterAnswer(): void {
    this.#closing = true;
  }

  /**
   * Sends a text, bytes and another text in one piece. The bytes are the caller's again when this returns. Gives whether there is
   * room for more.
   */
  send(front: string, bytes: Buffer, back: string): boolean {
    const socket = this.#socket;
    const length = front.length + bytes.length + back.length;
    // TLS encrypts at once what finds the socket empty.
    const atOnce = this.#facts.secure && socket.writableLength === 0;
    if (length < largeBytes) {
      const small = Buffer.allocUnsafe(length);
      socket.write(join(small, front, bytes, back));
      return socket.writableLength < fullBytes || !socket.writableNeedDrain || this.#fill();
    }
    const { memory, scratch } = this.#host;
    if (atOnce && length <= scratch.length) {
      const joined = length === bytes.length ? bytes : join(scratch, front, bytes, back);
      socket.write(joined, () => this.#drained());
    } else {
      const block = memory.take(length);
      socket.write(join(block, front, bytes, back), error => {
        // After an error nobody knows who still reads it.
        if (error === undefined || error === null) memory.giveBack(block);
        this.#drained();
      });
    }
    // One such piece at a time: the next would only be copied, to wait behind it.
    return socket.writableLength === 0 || this.#fill();
  }

  #fill(): boolean {
    if (!this.#full) {
      this.#full = true;
      this.#stuckBytes = this.#socket.writableLength;
      this.#arm();
    }
    return false;
  }

  /** Nothing waits in the socket. */
  get clear(): boolean {
    return this.#socket.writableLength === 0;
  }

  sendText(latin1: string): void {
    this.#socket.write(latin1, 'latin1');
  }

  /** The client must see that the answer is not whole. */
  breakOff(): void {
    // Without TLS, an answer that ends with its connection would look whole.
    if (this.#facts.secure) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  answerEnded(exchange: ServerExchange): void {
    if (exchange !== this.exchange) return;
    this.exchange = undefined;
    if (this.#body.done) return this.#nextRequest();
    if (this.#closing) return this.#linger();
    // Nobody is told of the rest of the body any more.
    this.#phase = 'discarding';
    this.#leftToDiscard = discardBytes;
    this.#host.wheel.set(this, discardMs);
    this.#resume();
    this.#read();
  }

  tunnel(exchange: ServerExchange, head: string): Tunnel {
    if (exchange !== this.exchange) return new Tunnel(undefined);
    this.exchange = undefined;
    this.#phase = 'tunnel';
    this.sendText(head);
    const tunnel = new Tunnel({
      socket: this.#socket,
      first: this.#input?.subarray(this.#at),
      close: () => this.#linger(),
      want: () => this.#resume(),
    });
    this.#input = undefined;
    this.#tunnel = tunnel;
    this.#socket.setKeepAlive(true, 60_000);
    this.#touchTunnel();
    return tunnel;
  }

  // The engine's own steps.

  #touchTunnel(): void {
    this.#host.wheel.set(this, this.#host.timeouts.tunnelMs);
  }

  #nextRequest(): void {
    if (this.#closing) return this.#linger();
    this.#phase = 'idle';
    this.#mayBeEmptyLine = true;
    this.#full = false;
    const { draining, lastRequestMs, timeouts, wheel } = this.#host;
    wheel.set(this, draining ? lastRequestMs : timeouts.keepAliveMs);
    this.#read();
    this.#resume();
  }

  #resume(): void {
    if (!this.#paused && this.#phase !== 'tunnel' && this.#input !== undefined) this.#read();
    if (this.#phase === 'gone' || this.#socket.destroyed) return;
    this.#paused = false;
    readOn(this.#socket);
  }

  #drained(): void {
    this.#stuckBytes = 0;
    if (this.#phase === 'tunnel') {
      this.#touchTunnel();
      this.#tunnel?.drained();
      return;
    }
    if (!this.#full) return;
    this.#full = false;
    this.#arm();
    this.exchange?.onDrain?.();
  }

  /** Sets the deadline for what is awaited of the client while a request is served. */
  #arm(): void {
    const { wheel, timeouts } = this.#host;
    const awaited = this.#full || (!this.#body.done && !this.#paused);
    wheel.set(this, awaited ? timeouts.idleMs : Infinity);
  }

  /** Ends the connection so that the client can read what was written (RFC 9112 section 9.6). */
  #linger(): void {
    if (this.#phase === 'lingering' || this.#phase === 'gone') return;
    this.#phase = 'lingering';
    this.#input = undefined;
    this.#paused = false;
    this.#socket.end();
    if (this.#ended && this.#socket.writableLength === 0) {
      this.#socket.destroySoon();
      return;
    }
    this.#stuckBytes = this.#socket.writableLength;
    this.#host.wheel.set(this, this.#stuckBytes > 0 ? this.#host.timeouts.idleMs : lingerMs);
    if (!this.#ended) readOn(this.#socket);
  }

  onDeadline(): void {
    const { timeouts, wheel } = this.#host;
    const stuck = this.#socket.writableLength;
    switch (this.#phase) {
      case 'idle':
        if (this.#requests === 0) this.#socket.destroy();
        else this.#linger();
        return;
      case 'head':
        this.#refuse({ status: 408, reason: 'head not in time' });
        return;
      case 'request':
        if (this.#full && stuck < this.#stuckBytes) {
          this.#stuckBytes = stuck;
          wheel.set(this, timeouts.idleMs);
        } else if (this.#full) {
          this.#socket.destroy();
        } else {
          this.#bodyFault(new BodyFault(408, 'body not in time'));
        }
        return;
      case 'lingering':
        if (stuck > 0 && stuck < this.#stuckBytes) {
          this.#stuckBytes = stuck;
          wheel.set(this, timeouts.idleMs);
          return;
        }
        this.#socket.destroy();
        return;
      case 'discarding':
        this.#linger();
        return;
      default:
        this.#socket.destroy();
    }
  }

  // Called by the server.

  /**
   * Closes the connection soon where nothing is under way; otherwise the answer says that it is the last. Not at once: a
   * request may be on its way, for which the connection was opened or kept, and would be lost (RFC 9112 section 9.5).
   */
  drain(firstRequestMs: number): void {
    if (this.#phase !== 'idle') return;
    this.#host.wheel.set(this, this.#requests === 0 ? firstRequestMs : this.#host.lastRequestMs);
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

function join(memory: Buffer, front: string, bytes: Buffer, back: string): Buffer {
  const end = front.length + bytes.length;
  if (front !== '') memory.write(front, 0, 'latin1');
  memory.set(bytes, front.length);
  if (back !== '') memory.write(back, end, 'latin1');
  return memory.length === end + back.length ? memory : memory.subarray(0, end + back.length);
}
