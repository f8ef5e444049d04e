import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { FrameFollower } from './frame-follower.ts';

/** Between one part of what has come at once and the next. */
const pauseMs = 20;

type Done = (error?: Error | null) => void;

function ignore(): void {}

/**
 * Stands between a client's connection and Node's HTTP/2, which takes any stream for one. All bytes pass as they are. What
 * comes can be looked at first, and between the frames that go out one of ours can be put in, for which Node has no words.
 * Each end that closes or fails closes the other.
 */
export class FramedSocket extends Duplex {
  readonly #socket: Socket;
  readonly #sent = new FrameFollower(0, ignore);
  /** It goes out where the frame under way ends. */
  #waiting: Buffer | undefined;
  /** Set while parts of what has come are still to be passed on. */
  #pause: NodeJS.Timeout | undefined;

  /** `look` gives the parts in which the bytes that came are passed on, one a while after the other. */
  constructor(socket: Socket, look: (bytes: Buffer) => readonly Buffer[]) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.on('error', ignore);
    socket.on('data', (bytes: Buffer) => this.#pass(look(bytes), 0));
    socket.on('end', () => this.push(null));
    socket.on('error', error => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  /** Sends a whole frame that belongs to no stream, as soon as no other is under way. */
  insert(frame: Buffer): void {
    if (this.#sent.between) this.#socket.write(frame);
    else this.#waiting = frame;
  }

  override _read(): void {
    if (this.#pause === undefined) this.#socket.resume();
  }

  override _write(bytes: Buffer, _encoding: string, done: Done): void {
    this.#socket.write(this.#followed(bytes), done);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: Done): void {
    this.#socket.cork();
    for (const [index, { chunk }] of chunks.entries())
      this.#socket.write(this.#followed(chunk), index === chunks.length - 1 ? done : undefined);
    this.#socket.uncork();
  }

  override _final(done: Done): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: Done): void {
    clearTimeout(this.#pause);
    this.#socket.destroy();
    done(error);
  }

  #pass(parts: readonly Buffer[], at: number): void {
    const part = parts[at];
    if (part === undefined) return;
    const hasRoom = this.push(part);
    if (at + 1 < parts.length) {
      this.#socket.pause();
      this.#pause = setTimeout(() => this.#pass(parts, at + 1), pauseMs);
      return;
    }
    this.#pause = undefined;
    if (!hasRoom) this.#socket.pause();
    else if (at > 0) this.#socket.resume();
  }

  /** The bytes, with what waits put into the first gap. */
  #followed(bytes: Buffer): Buffer {
    for (let at = 0; at < bytes.length; ) {
      at = this.#sent.next(bytes, at);
      if (this.#waiting === undefined || !this.#sent.between) continue;
      const both = Buffer.concat([bytes.subarray(0, at), this.#waiting, bytes.subarray(at)]);
      this.#waiting = undefined;
      // The frames behind the gap are to be followed, too, and not what was put in.
      for (let rest = at; rest < bytes.length; ) rest = this.#sent.next(bytes, rest);
      return both;
    }
    return bytes;
  }
}
