import { Socket } from 'node:net';

/** A socket without a network: what is given to `receive` is read from it, what is written to it is kept in `sent`. */
export class MemorySocket extends Socket {
  sent = '';

  constructor() {
    super();
    this.on('error', () => {});
  }

  /** Bytes of the peer, or its end. */
  receive(bytes: Buffer | null): void {
    if (!this.destroyed) this.push(bytes);
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.sent += chunk.toString('latin1');
    done();
  }

  override _writev = undefined as never;

  override _final(done: () => void): void {
    done();
  }
}
