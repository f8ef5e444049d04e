/** Where an answer's head and the bytes behind it are put together: as much as one read of an upstream, and a head. */
const sharedBytes = 147_456;
/** Blocks that are kept for the next one; all together about 10 MB. */
const maxFree = 64;
const blockBytes = 147_456;

/**
 * Memory for what is written to clients. Each new ArrayBuffer of this size brings the next collection of all garbage nearer,
 * which then takes more time than the writing: so it is used again.
 */
export class WriteMemory {
  /** For bytes that are done with as soon as they are written. */
  readonly shared: Buffer = Buffer.allocUnsafeSlow(sharedBytes);
  readonly #free: Buffer[] = [];

  /** A piece of `length` bytes for as long as a write takes; to be given back. */
  take(length: number): Buffer {
    return length > blockBytes
      ? Buffer.allocUnsafeSlow(length)
      : (this.#free.pop() ?? Buffer.allocUnsafeSlow(blockBytes));
  }

  giveBack(block: Buffer): void {
    if (block.length === blockBytes && this.#free.length < maxFree) this.#free.push(block);
  }
}
