import type { Socket } from 'node:net';
import type { Refusal } from '../policy/refusal.ts';
import type { CheckedHead, ConnectionFacts } from '../policy/request-head.ts';
import type { Timed } from '../timers/timer-wheel.ts';
import { BodyFault } from './body-fault.ts';
import { BodyReader } from './body-reader.ts';
import { ClientWrites } from './client-writes.ts';
import type { ConnectionHost } from './connection-host.ts';
import { readDirectly, readOn } from './direct-reads.ts';
import { HeadReader } from './head-reader.ts';
import { refusalText } from './own-answers.ts';
import type { ReadRequest } from './read-request.ts';
import { ServerExchange } from './server-exchange.ts';
import { readTrailers } from './trailers.ts';
import { Tunnel } from './tunnel.ts';

/** Bytes of further requests that wait while one is answered. */
const pipelinedBytes = 65_536;
/** What is read of a body that nobody wants, so that the client gets to read its answer (RFC 9112 section 9.6). */
const discardBytes = 8 * 1_048_576;
const discardMs = 5_000;
const lingerMs = 2_000;

/**
 * What a connection is about:
 *
 *   idle --first byte--> head --complete--> request --answered, body read--> idle
 *                         |                   |--much of it not taken yet--> behind --taken--> idle
 *                         |                   |--101--> tunnel
 *                         '--refused----------'--closing--> lingering --closed by the client, or too long--> gone
 */
type Phase = 'idle' | 'head' | 'request' | 'discarding' | 'behind' | 'tunnel' | 'lingering' | 'gone';

/** One connection of a client: reads its requests one after the other, and writes the answers. */
export class ServerConnection implements Timed {
  deadlineMs = Infinity;
  slot = -1;
  next: Timed | undefined = undefined;
  previous: Timed | undefined = undefined;

  readonly #host: ConnectionHost;
  readonly #socket: Socket;
  readonly #facts: ConnectionFacts;
  readonly #heads: HeadReader;
  readonly #body = new BodyReader();
  readonly #writes: ClientWrites;
  #phase: Phase = 'idle';
  #requests = 0;
  /** The request that is served. */
  exchange: ServerExchange | undefined = undefined;
  /** Bytes that are not read yet. */
  #input: Buffer | undefined;
  #at = 0;
  #reading = false;
  #paused = false;
  #closing = false;
  #ended = false;
  #leftToDiscard = 0;
  #tunnel: Tunnel | undefined;

  constructor(host: ConnectionHost, socket: Socket, facts: ConnectionFacts) {
    this.#host = host;
    this.#socket = socket;
    this.#facts = facts;
    this.#heads = new HeadReader(facts, host.limits);
    this.#writes = new ClientWrites(host, socket, facts.secure, () => this.#drained());
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
        return this.#nextWaits(input);
      case 'behind':
        return this.#nextWaits(input);
      default:
        return false;
    }
  }

  /** The next request waits for its turn. */
  #nextWaits(input: Buffer): boolean {
    if (input.length - this.#at > pipelinedBytes) this.#paused = true;
    return false;
  }

  /** Forgets the bytes that were read. */
  #readTo(at: number): void {
    const { length } = this.#input ?? { length: 0 };
    this.#at = at;
    if (at >= length) this.#input = undefined;
  }

  #readHead(input: Buffer): boolean {
    const heads = this.#heads;
    const read = heads.read(input, this.#at);
    this.#readTo(heads.end);
    if (read !== undefined) return this.#begin(read);
    if (this.#phase === 'idle' && heads.begun) {
      this.#phase = 'head';
      if (this.#requests > 0) this.#host.wheel.set(this, this.#host.timeouts.headMs);
    }
    return false;
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
    if (this.#requests > 1) this.#host.serve(exchange, head);
    else this.#serveInTurn(exchange, head);
    return true;
  }

  #serveInTurn(exchange: ServerExchange, head: CheckedHead): void {
    this.#host.firstRequests.run(() => {
      if (exchange === this.exchange) this.#host.serve(exchange, head);
    });
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
    else if (this.exchange !== undefined || this.#phase === 'lingering' || this.#writes.clear)
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

  /** As by `ClientWrites`. */
  send(front: string, bytes: Buffer, back: string): boolean {
    const writes = this.#writes;
    const wasFull = writes.full;
    if (writes.send(front, bytes, back)) return true;
    if (!wasFull) this.#arm();
    return false;
  }

  sendText(latin1: string): void {
    this.#writes.sendText(latin1);
  }

  /** Nothing waits in the socket. */
  get clear(): boolean {
    return this.#writes.clear;
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
      moved: () => this.#touchTunnel(),
    });
    this.#input = undefined;
    this.#tunnel = tunnel;
    this.#socket.setKeepAlive(true, 60_000);
    this.#touchTunnel();
    return tunnel;
  }

  // The engine's own steps.

  /** Bytes came of either side. */
  #touchTunnel(): void {
    this.#host.wheel.set(this, this.#host.timeouts.tunnelMs);
  }

  #nextRequest(): void {
    if (this.#closing) return this.#linger();
    // Else the answers to a client that asks on and reads nothing would fill the memory.
    if (this.#writes.behind) return this.#waitForClient();
    this.#phase = 'idle';
    this.#writes.full = false;
    const { draining, lastRequestMs, timeouts, wheel } = this.#host;
    wheel.set(this, draining ? lastRequestMs : timeouts.keepAliveMs);
    this.#paused = false;
    this.#read();
    // Of a client that asks faster than it is answered there may be enough for now.
    if (!this.#paused) this.#resume();
  }

  /** Serves nothing more before the client has taken what was answered. */
  #waitForClient(): void {
    this.#phase = 'behind';
    this.#writes.full = true;
    this.#writes.watch();
    this.#host.wheel.set(this, this.#host.timeouts.idleMs);
  }

  #resume(): void {
    if (!this.#paused && this.#phase !== 'tunnel' && this.#input !== undefined) this.#read();
    if (this.#phase === 'gone' || this.#socket.destroyed) return;
    this.#paused = false;
    readOn(this.#socket);
  }

  #drained(): void {
    if (this.#phase === 'tunnel') {
      this.#touchTunnel();
      this.#tunnel?.drained();
      return;
    }
    if (!this.#writes.full) return;
    if (this.#phase === 'behind') {
      this.#nextRequest();
      return;
    }
    this.#writes.full = false;
    this.#arm();
    this.exchange?.onDrain?.();
  }

  /** Sets the deadline for what is awaited of the client while a request is served. */
  #arm(): void {
    const { wheel, timeouts } = this.#host;
    const awaited = this.#writes.full || (!this.#body.done && !this.#paused);
    wheel.set(this, awaited ? timeouts.idleMs : Infinity);
  }

  /** Ends the connection so that the client can read what was written (RFC 9112 section 9.6). */
  #linger(): void {
    if (this.#phase === 'lingering' || this.#phase === 'gone') return;
    this.#phase = 'lingering';
    this.#input = undefined;
    this.#paused = false;
    this.#socket.end();
    if (this.#ended && this.#writes.clear) {
      this.#socket.destroySoon();
      return;
    }
    this.#host.wheel.set(this, this.#writes.watch() ? this.#host.timeouts.idleMs : lingerMs);
    if (!this.#ended) readOn(this.#socket);
  }

  onDeadline(): void {
    const { timeouts, wheel } = this.#host;
    const writes = this.#writes;
    switch (this.#phase) {
      case 'idle':
        if (this.#requests === 0) this.#socket.destroy();
        else this.#linger();
        return;
      case 'head':
        this.#refuse({ status: 408, reason: 'head not in time' });
        return;
      case 'request':
        if (!writes.full) this.#bodyFault(new BodyFault(408, 'body not in time'));
        else if (writes.moved()) wheel.set(this, timeouts.idleMs);
        else this.#socket.destroy();
        return;
      case 'behind':
      case 'lingering':
        if (!writes.clear && writes.moved()) wheel.set(this, timeouts.idleMs);
        else this.#socket.destroy();
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
