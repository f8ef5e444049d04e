import { inspect } from 'node:util';

/** A private key in PEM that no log line, JSON text or debugger print shows by accident. */
export class PrivateMaterial {
  readonly #held: string;
  readonly #encoding: 'utf8' | 'base64';

  /** `encoding`: what `held` is to be decoded from when it is asked for. */
  constructor(held: string, encoding: 'utf8' | 'base64' = 'utf8') {
    this.#held = held;
    this.#encoding = encoding;
  }

  /** The key itself, for the TLS library alone. */
  reveal(): string {
    return this.#encoding === 'utf8' ? this.#held : Buffer.from(this.#held, this.#encoding).toString();
  }

  toJSON(): string {
    return '[private]';
  }

  [inspect.custom](): string {
    return '[private]';
  }
}
