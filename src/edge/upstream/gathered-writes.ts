import type { Socket } from 'node:net';
import type { WriteMemory } from '../http1/write-memory.ts';

/** With this many bytes the next write does not wait for more. */
const gatheredBytes = 65_536;

/**
 * What is written to a connection within one turn of the event loop goes out in one piece: TLS gives the body of a request in
 * records of at most 16 KiB, and each write costs a system call and wakes the other side. Nothing waits longer than that turn,
 * unless a write before it is not out yet. What is added is copied, so that its memory is free again at once.
 */
export class GatheredWrites {
  readonly #socket: Pick<Socket, 'write'>;
  readonly #memory: WriteMemory;
  readonly #onRoom: () => void;
  readonly #onWritten: (error?: Error | null) => void;
  #block: Buffer | undefined;
  #held = 0;
  /** Blocks that the socket reads from, in the order of their writes. */
  readonly #writing: Buffer[] = [];
  #waitsForTurn = false;
  #full = false;

  /** `onRoom` is called after `add` gave false, when there is room again. */
  constructor(socket: Pick<Socket, 'write'>, memory: WriteMemory, onRoom: () => void) {
    this.#socket = socket;
    this.#memory = memory;
    this.#onRoom = onRoom;
    this.#onWritten = error => this.#written(error);
  }

  /** Adds a text (Latin-1), bytes and another text. Gives whether there is room for more. */
  add(front: string, bytes: Buffer, back: string): boolean {
    const length = front.length + bytes.length + back.length;
    if (this.#block !== undefined && this.#held + length > this.#block.length) this.flush();
    this.#block ??= this.#memory.take(length);
    const block = this.#block;
    let at = this.#held;
    if (front !== '') at += block.write(front, at, 'latin1');
    block.set(bytes, at);
    at += bytes.length;
    if (back !== '') at += block.write(back, at, 'latin1');
    this.#held = at;
    if (at < gatheredBytes) this.#flushAfterTurn();
    else if (this.#writing.length === 0) this.flush();
    else this.#full = true;
    return !this.#full;
  }

  /** Nothing more comes for now. */
  flush(): void {
    const block = this.#block;
    if (block === undefined) return;
    const held = this.#held;
    this.#block = undefined;
    this.#held = 0;
    this.#writing.push(block);
    this.#socket.write(held === block.length ? block : block.subarray(0, held), this.#onWritten);
  }

  /** Forgets what has not been written. */
  drop(): void {
    if (this.#block !== undefined) this.#memory.giveBack(this.#block);
    this.#block = undefined;
    this.#held = 0;
  }

  #flushAfterTurn(): void {
    if (this.#waitsForTurn) return;
    this.#waitsForTurn = true;
    setImmediate(turnOver, this);
  }

  /** While a write is not out, small pieces gather behind it: it takes them along. */
  turnOver(): void {
    this.#waitsForTurn = false;
    if (this.#writing.length === 0) this.flush();
  }

  #written(error: Error | null | undefined): void {
    const block = this.#writing.shift();
    // After an error nobody knows who still reads it, and nobody writes on.
    if (error !== undefined && error !== null) return;
    if (block !== undefined) this.#memory.giveBack(block);
    if (this.#writing.length > 0) return;
    if (this.#full || !this.#waitsForTurn) this.flush();
    if (!this.#full) return;
    this.#full = false;
    this.#onRoom();
  }
}

function turnOver(writes: GatheredWrites): void {
  writes.turnOver();
}
