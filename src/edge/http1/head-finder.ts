import type { Refusal } from '../policy/refusal.ts';

/** Bounds of a head that is not complete yet, in bytes. */
export interface HeadBounds {
  readonly headBytes: number;
  /** Of the request target. */
  readonly target: number;
}

const cr = 0x0d;
const lf = 0x0a;

/**
 * Looks for the end of a head in bytes that come in pieces, each byte looked at once, and refuses what can become no head
 * however it goes on: nobody waits for the rest of it.
 */
export class HeadFinder {
  /** How far the bytes were looked at. */
  #seen = 0;
  /** Where the line that is being looked at begins. */
  #lineStart = 0;

  /**
   * Looks on in `bytes`, which begin like those of the call before. Gives where the head ends, its empty line included; 0
   * where it does not end here; or why it is refused.
   */
  find(bytes: Buffer, bounds: HeadBounds): number | Refusal {
    const limit = Math.min(bytes.length, bounds.headBytes);
    for (let at = this.#seen; at < limit; at += 1) {
      const code = bytes[at] ?? 0;
      if (code === lf) {
        if (at === 0 || bytes[at - 1] !== cr) return refuse(400, 'bare line feed');
        if (at - this.#lineStart === 1) return at + 1;
        this.#lineStart = at + 1;
      } else if (code < 0x20 ? code !== cr && code !== 0x09 : code === 0x7f) {
        return refuse(400, 'control character in a head');
      } else if (at > 0 && bytes[at - 1] === cr) {
        return refuse(400, 'bare carriage return');
      } else if (this.#lineStart === 0 && at > bounds.target + lineExtra) {
        return refuse(414, 'target too long');
      }
    }
    this.#seen = limit;
    return bytes.length >= bounds.headBytes ? refuse(431, 'head too large') : 0;
  }

  /** Begins with the next head. */
  reset(): void {
    this.#seen = 0;
    this.#lineStart = 0;
  }
}

/** What a request line has beside its target. */
const lineExtra = 48;

function refuse(status: Refusal['status'], reason: string): Refusal {
  return { status, reason };
}
