import { randomBytes } from 'node:crypto';
import type { HeaderFields } from './header-fields.ts';

const prefix = randomBytes(10).toString('hex');
let count = 0;

/** A name for a request that no other has: 32 hexadecimal digits, as ingress-nginx makes them. It is no secret. */
export function nextRequestId(): string {
  count = (count + 1) % 0x1_0000_0000_0000;
  return prefix + count.toString(16).padStart(12, '0');
}

/** X-Request-ID with a value of `nextRequestId`, as the one field it is. */
export class RequestIdField implements HeaderFields {
  readonly count = 1;
  readonly #id: string;

  constructor(id: string) {
    this.#id = id;
  }

  name(): string {
    return 'x-request-id';
  }

  rawName(): string {
    return 'X-Request-ID';
  }

  value(): string {
    return this.#id;
  }

  first(name: string): string | undefined {
    return name === 'x-request-id' ? this.#id : undefined;
  }

  get wire(): string {
    return `X-Request-ID: ${this.#id}\r\n`;
  }
}
