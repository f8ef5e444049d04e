/** Types of frames (RFC 9113 section 6). */
export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const endStream = 1;
export const ack = 1;
export const endHeaders = 4;

/** Bytes of a frame's head (RFC 9113 section 4.1). */
export const headBytes = 9;

/** Follows one direction of a connection from frame to frame, through chunks that are cut anywhere. */
export class FrameFollower {
  readonly #seen: (type: number, flags: number) => void;
  /** Bytes to go by until the next frame's head. */
  #left: number;
  readonly #head = Buffer.alloc(headBytes);
  /** Bytes of the next frame's head that have come. */
  #headRead = 0;
  /** Before the first frame, and within a header section (RFC 9113 section 4.3). */
  #joined = true;

  /** `skip` bytes come before the first frame. `seen` is told of each frame when its head is complete. */
  constructor(skip: number, seen: (type: number, flags: number) => void) {
    this.#left = skip;
    this.#seen = seen;
  }

  /** Whether a frame that belongs to no stream may come next. */
  get between(): boolean {
    return this.#left === 0 && this.#headRead === 0 && !this.#joined;
  }

  /** Goes on from `from` to where the frame ends, or to the end of the bytes, and gives where that is. */
  next(bytes: Buffer, from: number): number {
    let at = from;
    if (this.#left === 0) {
      if (this.#headRead === 0 && bytes.length - at >= headBytes) {
        this.#begin(bytes, at);
        at += headBytes;
      } else {
        const taken = bytes.copy(this.#head, this.#headRead, at);
        this.#headRead += taken;
        at += taken;
        if (this.#headRead < headBytes) return at;
        this.#headRead = 0;
        this.#begin(this.#head, 0);
      }
    }
    const taken = Math.min(this.#left, bytes.length - at);
    this.#left -= taken;
    return at + taken;
  }

  #begin(head: Buffer, at: number): void {
    this.#left = head.readUIntBE(at, 3);
    const type = head.readUInt8(at + 3);
    const flags = head.readUInt8(at + 4);
    const isOfSection =
      type === frameType.headers || type === frameType.pushPromise || type === frameType.continuation;
    this.#joined = isOfSection && (flags & endHeaders) === 0;
    this.#seen(type, flags);
  }
}
