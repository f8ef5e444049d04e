import type { Socket } from 'node:net';
import type { ConnectionHost } from './connection-host.ts';

/** The socket is full with this many bytes in small pieces in it. */
const fullBytes = 65_536;
/** From this number of bytes on, memory is not left to the collection of garbage, and one piece is written after the other. */
const largeBytes = 16_384;

/** What is written to a client, and whether the client takes it. */
export class ClientWrites {
  readonly #memory: Pick<ConnectionHost, 'memory' | 'scratch'>;
  readonly #socket: Socket;
  readonly #secure: boolean;
  readonly #onWritten: () => void;
  /** The client takes no more bytes for the moment. */
  full = false;
  /** How much stood in the socket when its client was last looked at. */
  #stuckBytes = 0;

  /** `onWritten` is called when the socket has given away a large piece, or all that was in it. */
  constructor(
    memory: Pick<ConnectionHost, 'memory' | 'scratch'>,
    socket: Socket,
    secure: boolean,
    onWritten: () => void,
  ) {
    this.#memory = memory;
    this.#socket = socket;
    this.#secure = secure;
    this.#onWritten = onWritten;
    socket.on('drain', onWritten);
  }

  /** Nothing waits in the socket. */
  get clear(): boolean {
    return this.#socket.writableLength === 0;
  }

  /** So much waits in the socket that nothing is to be added before the client takes some of it. */
  get behind(): boolean {
    return this.#socket.writableLength >= fullBytes && this.#socket.writableNeedDrain;
  }

  sendText(latin1: string): void {
    this.#socket.write(latin1, 'latin1');
  }

  /**
   * Sends a text, bytes and another text in one piece. The bytes are the caller's again when this returns. Gives whether there is
   * room for more.
   */
  send(front: string, bytes: Buffer, back: string): boolean {
    const socket = this.#socket;
    const length = front.length + bytes.length + back.length;
    // TLS encrypts at once what finds the socket empty.
    const atOnce = this.#secure && socket.writableLength === 0;
    if (length < largeBytes) {
      const small = Buffer.allocUnsafe(length);
      socket.write(join(small, front, bytes, back));
      return !this.behind || this.#fill();
    }
    const { memory, scratch } = this.#memory;
    if (atOnce && length <= scratch.length) {
      const joined = length === bytes.length ? bytes : join(scratch, front, bytes, back);
      socket.write(joined, this.#onWritten);
    } else {
      const block = memory.take(length);
      socket.write(join(block, front, bytes, back), error => {
        // After an error nobody knows who still reads it.
        if (error === undefined || error === null) memory.giveBack(block);
        this.#onWritten();
      });
    }
    // One such piece at a time: the next would only be copied, to wait behind it.
    return socket.writableLength === 0 || this.#fill();
  }

  #fill(): boolean {
    if (!this.full) {
      this.full = true;
      this.watch();
    }
    return false;
  }

  /** Looks at how much stands in the socket, for `moved` to compare with; gives whether there is any. */
  watch(): boolean {
    this.#stuckBytes = this.#socket.writableLength;
    return this.#stuckBytes > 0;
  }

  /** Whether the client has taken some of it since. */
  moved(): boolean {
    const stuck = this.#socket.writableLength;
    if (stuck >= this.#stuckBytes) return false;
    this.#stuckBytes = stuck;
    return true;
  }
}

function join(memory: Buffer, front: string, bytes: Buffer, back: string): Buffer {
  const end = front.length + bytes.length;
  if (front !== '') memory.write(front, 0, 'latin1');
  memory.set(bytes, front.length);
  if (back !== '') memory.write(back, end, 'latin1');
  return memory.length === end + back.length ? memory : memory.subarray(0, end + back.length);
}
