import { randomBytes } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';

/** How long a key encrypts tickets: whoever gets hold of it later can read no more than this time's sessions. */
const rotationMs = 6 * 3_600_000;

/** The keys that session tickets are encrypted with (RFC 5077), the same for all workers: made, and made anew in time. */
export class TicketKeys {
  #keys = randomBytes(48);
  readonly #clock: Clock;
  readonly #onChange: (keys: Buffer) => void;
  #cancel: () => void;

  constructor(clock: Clock, onChange: (keys: Buffer) => void) {
    this.#clock = clock;
    this.#onChange = onChange;
    this.#cancel = this.#schedule();
  }

  get current(): Buffer {
    return this.#keys;
  }

  stop(): void {
    this.#cancel();
  }

  #schedule(): () => void {
    return this.#clock.after(rotationMs, () => {
      this.#keys = randomBytes(48);
      this.#cancel = this.#schedule();
      this.#onChange(this.#keys);
    });
  }
}
