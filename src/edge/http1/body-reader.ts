import { ChunkedDecoder } from './chunked-decoder.ts';

/** How the end of a body is known on the wire (RFC 9112 section 6.3). `rest`: it ends with the connection. */
export type WireFraming = 'none' | 'length' | 'chunked' | 'rest';

/** Takes the bodies of one connection out of its bytes, one after the other, whatever their framing. */
export class BodyReader {
  #framing: WireFraming = 'none';
  #left = 0;
  #decoder: ChunkedDecoder | undefined;
  done = true;
  /** Where the data of the last call begins and ends in its buffer. */
  dataStart = 0;
  dataEnd = 0;

  /** A body begins; `length` in bytes, for that framing. */
  begin(framing: WireFraming, length: number): void {
    this.#framing = framing;
    this.#left = length;
    this.#decoder = framing === 'chunked' ? new ChunkedDecoder() : undefined;
    this.done = framing === 'none' || (framing === 'length' && length === 0);
  }

  get fault(): string {
    return this.#decoder?.fault ?? '';
  }

  /** The trailer section of a chunked body, or `''`. */
  get trailers(): string {
    return this.#decoder?.trailers ?? '';
  }

  /** Bytes that are yet to come, as far as that is known. */
  get left(): number {
    return this.done ? 0 : this.#framing === 'length' ? this.#left : Infinity;
  }

  /** Whether the end of the connection is a proper end of the body. */
  endsWithConnection(): boolean {
    return this.#framing === 'rest';
  }

  /** Reads on from `from`. Gives how far it came: behind the body where it is done, else the end of the bytes. */
  read(bytes: Buffer, from: number): number {
    if (this.#decoder !== undefined) {
      const end = this.#decoder.decode(bytes, from);
      this.dataStart = this.#decoder.dataStart;
      this.dataEnd = this.#decoder.dataEnd;
      this.done = this.#decoder.done;
      return end;
    }
    const end = this.#framing === 'rest' ? bytes.length : Math.min(bytes.length, from + this.#left);
    this.dataStart = from;
    this.dataEnd = end;
    this.#left -= end - from;
    if (this.#framing === 'length') this.done = this.#left === 0;
    return end;
  }
}
