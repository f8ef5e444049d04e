import { hexValue } from './char-classes.ts';

const cr = 0x0d;
const lf = 0x0a;
const semicolon = 0x3b;

/** Digits of a chunk's size: 16^12 is more than anyone sends, and no number loses precision on the way. */
const maxSizeDigits = 12;
/** Bytes of extensions in one size line, and in a whole body: they are thrown away, and must not become a load. */
const maxExtension = 256;
const maxExtensions = 16_384;
/** `;name`, `;name=value` or `;name="value"`, any number of them (RFC 9112 section 7.1.1), without the blanks that nobody sends. */
const extensionForm =
  /^(?:;[\w!#$%&'*+\-.^`|~]+(?:=(?:[\w!#$%&'*+\-.^`|~]+|"(?:[\t \x21\x23-\x5b\x5d-\x7e]|\\[\t\x20-\x7e])*"))?)+$/;
export const maxTrailerBytes = 8_192;

type State =
  | 'size'
  | 'extension'
  | 'size-lf'
  | 'data'
  | 'data-cr'
  | 'data-lf'
  | 'trailers'
  | 'done'
  | 'fault';

/**
 * Takes the chunked coding off a body (RFC 9112 section 7.1), strictly: sizes are hexadecimal digits and nothing else, lines
 * end in CRLF, extensions are bounded. Bytes go in as they come; the data moves together at the front of the same buffer.
 */
export class ChunkedDecoder {
  #state: State = 'size';
  #digits = 0;
  #left = 0;
  #extension = '';
  #extensions = 0;
  #trailers = '';
  #fault = '';
  /** Where the data of the last call begins and ends in its buffer. */
  dataStart = 0;
  dataEnd = 0;

  get done(): boolean {
    return this.#state === 'done';
  }

  /** Why the coding is refused, or `''`. */
  get fault(): string {
    return this.#fault;
  }

  /** The trailer section with the empty line that ends it; the bare line where there are none. */
  get trailers(): string {
    return this.#trailers;
  }

  /**
   * Reads on, from `from`. Gives how far it came: behind the body's end where it is done, else the end of the bytes. The data
   * found stands from `dataStart` to `dataEnd`; what was between it is gone.
   */
  decode(bytes: Buffer, from: number): number {
    let at = from;
    this.dataStart = from;
    this.dataEnd = from;
    while (at < bytes.length && this.#state !== 'done' && this.#state !== 'fault') {
      if (this.#state === 'data') {
        const end = Math.min(bytes.length, at + this.#left);
        this.#left -= end - at;
        this.#keep(bytes, at, end);
        at = end;
        if (this.#left === 0) this.#state = 'data-cr';
      } else if (this.#state === 'trailers') {
        at = this.#readTrailers(bytes, at);
      } else {
        this.#step(bytes[at] ?? 0);
        at += 1;
      }
    }
    return at;
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    if (this.dataEnd === this.dataStart) {
      this.dataStart = start;
      this.dataEnd = end;
      return;
    }
    if (this.dataEnd !== start) bytes.copyWithin(this.dataEnd, start, end);
    this.dataEnd += end - start;
  }

  /** One byte outside data and trailers. */
  #step(code: number): void {
    switch (this.#state) {
      case 'size':
        return this.#sizeByte(code);
      case 'extension':
        if (code !== cr) {
          this.#extension += String.fromCharCode(code);
          if (this.#extension.length > maxExtension || ++this.#extensions > maxExtensions)
            this.#refuse('chunk extensions too long');
        } else if (extensionForm.test(this.#extension)) {
          this.#state = 'size-lf';
        } else {
          this.#refuse('malformed chunk extension');
        }
        return;
      case 'size-lf':
        if (code !== lf) return this.#refuse('malformed chunk size line');
        this.#digits = 0;
        this.#state = this.#left === 0 ? 'trailers' : 'data';
        return;
      case 'data-cr':
        if (code !== cr) return this.#refuse('chunk longer than its size');
        this.#state = 'data-lf';
        return;
      default:
        if (code !== lf) return this.#refuse('chunk longer than its size');
        this.#state = 'size';
    }
  }

  #sizeByte(code: number): void {
    const digit = hexValue[code] ?? 255;
    if (digit !== 255) {
      this.#digits += 1;
      if (this.#digits > maxSizeDigits) return this.#refuse('chunk size too large');
      this.#left = this.#left * 16 + digit;
    } else if (this.#digits === 0) {
      this.#refuse('malformed chunk size');
    } else if (code === cr) {
      this.#state = 'size-lf';
    } else if (code === semicolon) {
      this.#extension = ';';
      this.#state = 'extension';
    } else {
      this.#refuse('malformed chunk size');
    }
  }

  /** Collects the trailer section up to its empty line. */
  #readTrailers(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at += 1) {
      const code = bytes[at] ?? 0;
      const before = this.#trailers.charCodeAt(this.#trailers.length - 1);
      this.#trailers += String.fromCharCode(code);
      if (code === lf) {
        if (before !== cr) return this.#refuseAt('bare line feed in trailers', at);
        if (this.#trailers === '\r\n' || this.#trailers.endsWith('\r\n\r\n')) {
          this.#state = 'done';
          return at + 1;
        }
      } else if (this.#trailers.length >= maxTrailerBytes) {
        return this.#refuseAt('trailers too long', at);
      }
    }
    return bytes.length;
  }

  #refuse(why: string): void {
    this.#state = 'fault';
    this.#fault = why;
  }

  #refuseAt(why: string, at: number): number {
    this.#refuse(why);
    return at;
  }
}
