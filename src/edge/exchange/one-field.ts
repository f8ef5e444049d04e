import type { HeaderFields } from './header-fields.ts';

/** A field by itself, whose name and value are known to be fit for the wire: they are not looked at again. */
export class OneField implements HeaderFields {
  readonly count = 1;
  readonly #name: string;
  readonly #value: string;

  constructor(name: string, value: string) {
    this.#name = name;
    this.#value = value;
  }

  name(): string {
    return this.#name.toLowerCase();
  }

  rawName(): string {
    return this.#name;
  }

  value(): string {
    return this.#value;
  }

  first(name: string): string | undefined {
    return name === this.name() ? this.#value : undefined;
  }

  get wire(): string {
    return `${this.#name}: ${this.#value}\r\n`;
  }
}
