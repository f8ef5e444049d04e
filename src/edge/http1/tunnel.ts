import type { Socket } from 'node:net';
import type { BodySink, BodySource } from '../exchange/ports.ts';

const fullBytes = 65_536;

/** The connection under a tunnel, and who owns it. */
export interface TunnelEnd {
  readonly socket: Socket;
  /** What came behind the head. */
  readonly first: Buffer | undefined;
  /** The other side has ended: the connection is closed once what was written is out. */
  close(): void;
  /** Reading may go on. */
  want(): void;
  /** Bytes of the other side were sent on this one. */
  moved?(): void;
}

/** One side of two connections that have become one (RFC 9110 section 7.8): its bytes both ways. */
export class Tunnel implements BodySource, BodySink {
  readonly #end: TunnelEnd | undefined;
  #sink: BodySink | undefined;
  #queue: Buffer[];
  #over = false;
  #full = false;
  /** There is room again, after `write` gave false. */
  onDrain: (() => void) | undefined = undefined;

  /** Without an end: the connection had gone. */
  constructor(end: TunnelEnd | undefined) {
    this.#end = end;
    this.#over = end === undefined;
    this.#queue = end?.first === undefined || end.first.length === 0 ? [] : [end.first];
  }

  /** Bytes of this side. Gives whether more may come. */
  deliver(chunk: Buffer): boolean {
    if (this.#sink !== undefined) return this.#sink.write(chunk);
    this.#queue.push(chunk);
    return false;
  }

  /** This side sends no more. */
  sourceEnded(): void {
    if (this.#over) return;
    this.#over = true;
    this.#sink?.end();
    this.#end?.close();
  }

  /** This side's connection has gone. */
  sourceClosed(): void {
    if (this.#over) return;
    this.#over = true;
    this.#sink?.abort(new Error('the connection has gone'));
  }

  drained(): void {
    if (!this.#full) return;
    this.#full = false;
    this.onDrain?.();
  }

  pipe(sink: BodySink): void {
    this.#sink = sink;
    let room = true;
    for (const chunk of this.#queue.splice(0)) room = sink.write(chunk);
    if (this.#over) sink.end();
    else if (room) this.#end?.want();
  }

  resume(): void {
    if (!this.#over) this.#end?.want();
  }

  discard(): void {
    this.#over = true;
    this.#end?.close();
  }

  write(chunk: Buffer): boolean {
    const { socket } = this.#end ?? {};
    if (socket === undefined || socket.destroyed || !socket.writable) return true;
    socket.write(chunk);
    this.#end?.moved?.();
    this.#full = socket.writableLength >= fullBytes && socket.writableNeedDrain;
    return !this.#full;
  }

  end(): void {
    this.#over = true;
    this.#end?.close();
  }

  abort(): void {
    this.#over = true;
    this.#end?.close();
  }
}
