/** Blocks that are kept for the next one. */
const maxFree = 64;

/**
 * Memory for what is written. Each new ArrayBuffer of this size brings the next collection of all garbage nearer,
 * which then takes more time than the writing: so it is used again.
 */
export class WriteMemory {
  readonly #blockBytes: number;
  readonly #free: Buffer[] = [];

  constructor(blockBytes: number) {
    this.#blockBytes = blockBytes;
  }

  /** A piece of `length` bytes for as long as a write takes; to be given back. */
  take(length: number): Buffer {
    return length > this.#blockBytes
      ? Buffer.allocUnsafeSlow(length)
      : (this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#blockBytes));
  }

  giveBack(block: Buffer): void {
    if (block.length === this.#blockBytes && this.#free.length < maxFree) this.#free.push(block);
  }
}
