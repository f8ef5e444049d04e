import type { Refusal } from '../policy/refusal.ts';
import type { ConnectionFacts } from '../policy/request-head.ts';
import { type HeadBounds, HeadFinder } from './head-finder.ts';
import { type ReadRequest, type RequestHeadLimits, RequestReader } from './read-request.ts';

/** Bytes up to this number are read in one go, where they hold a whole head. */
const shortBytes = 8_192;
const space = 0x20;
const emptyLine = '\r\n\r\n';
const cr = 0x0d;
const lf = 0x0a;

/** Takes the heads of one connection's requests out of its bytes, one after the other, however they are divided. */
export class HeadReader {
  readonly #limits: RequestHeadLimits & HeadBounds;
  readonly #reader: RequestReader;
  #finder: HeadFinder | undefined;
  #mayBeEmptyLine = false;
  /** A head has begun that is not complete. */
  begun = false;
  /** How far the last call came. What is behind it is to be given again, with what comes behind that. */
  end = 0;

  constructor(facts: ConnectionFacts, limits: RequestHeadLimits & HeadBounds) {
    this.#limits = limits;
    this.#reader = new RequestReader(facts, limits);
  }

  /** Reads on from `from`. Gives the request once its head is complete, or why none can come of these bytes. */
  read(input: Buffer, from: number): ReadRequest | Refusal | undefined {
    this.end = from;
    if (!this.begun) {
      const read = this.#readShort(input, from);
      if (read !== undefined) return read;
      if (!this.#skipEmptyLine(input)) return undefined;
      const first = input[this.end] ?? space;
      if ((first <= space && first !== cr) || first >= 0x7f)
        return { status: 400, reason: 'malformed method' };
      this.begun = true;
      this.#finder ??= new HeadFinder();
      this.#finder.reset();
    }
    const rest = this.end === 0 ? input : input.subarray(this.end);
    const found = this.#finder?.find(rest, this.#limits) ?? 0;
    if (typeof found !== 'number') return found;
    if (found === 0) return undefined;
    return this.#complete(this.end + found, this.#reader.read(rest.toString('latin1', 0, found)));
  }

  /** A head that came whole, at the front of a short piece: nearly all do. */
  #readShort(input: Buffer, from: number): ReadRequest | Refusal | undefined {
    if (from !== 0 || input[0] === cr || input.length > shortBytes || input.length > this.#limits.headBytes)
      return undefined;
    const text = input.toString('latin1');
    const repeated = this.#reader.readRepeated(text);
    if (repeated !== undefined) return this.#complete(input.length, repeated);
    const end = text.indexOf(emptyLine) + emptyLine.length;
    if (end < emptyLine.length) return undefined;
    return this.#complete(end, this.#reader.read(text.slice(0, end)));
  }

  /** One empty line before a further request is let pass (RFC 9112 section 2.2). Gives whether a head begins in these bytes. */
  #skipEmptyLine(input: Buffer): boolean {
    if (this.#mayBeEmptyLine && input[this.end] === cr) {
      // Its second byte may be on its way.
      if (input.length === this.end + 1) return false;
      if (input[this.end + 1] === lf) {
        this.#mayBeEmptyLine = false;
        this.end += 2;
      }
    }
    return this.end < input.length;
  }

  #complete(end: number, read: ReadRequest | Refusal): ReadRequest | Refusal {
    this.end = end;
    this.begun = false;
    this.#mayBeEmptyLine = true;
    return read;
  }
}
