import { inspect } from 'node:util';

/** A private key in PEM that no log line, JSON text or debugger print shows by accident. */
export class PrivateMaterial {
  readonly #pem: string;

  constructor(pem: string) {
    this.#pem = pem;
  }

  /** The key itself, for the TLS library alone. */
  reveal(): string {
    return this.#pem;
  }

  toJSON(): string {
    return '[private]';
  }

  [inspect.custom](): string {
    return '[private]';
  }
}
