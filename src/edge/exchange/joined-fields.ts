import { type HeaderFields, wireOf } from './header-fields.ts';

/** Two lists of fields, one behind the other. */
export class JoinedFields implements HeaderFields {
  readonly count: number;
  readonly #front: HeaderFields;
  readonly #back: HeaderFields;
  #wire: string | undefined;

  constructor(front: HeaderFields, back: HeaderFields) {
    this.#front = front;
    this.#back = back;
    this.count = front.count + back.count;
  }

  name(index: number): string {
    const at = index - this.#front.count;
    return at < 0 ? this.#front.name(index) : this.#back.name(at);
  }

  rawName(index: number): string {
    const at = index - this.#front.count;
    return at < 0 ? this.#front.rawName(index) : this.#back.rawName(at);
  }

  value(index: number): string {
    const at = index - this.#front.count;
    return at < 0 ? this.#front.value(index) : this.#back.value(at);
  }

  first(name: string): string | undefined {
    return this.#front.first(name) ?? this.#back.first(name);
  }

  get wire(): string {
    this.#wire ??= wireOf(this.#front) + wireOf(this.#back);
    return this.#wire;
  }
}
