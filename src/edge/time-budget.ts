import type { Clock } from '../core/clock.ts';

export interface TimeBudgetOptions {
  /** Of the time that passes, what may be spent. */
  readonly share: number;
  /** What may be spent at once, after rest. */
  readonly mostMs: number;
  /** Nobody waits longer, whatever was spent. */
  readonly longestWaitMs: number;
}

/** Lets work be done at once for a while, and only for a share of the time where it does not end. */
export class TimeBudget {
  readonly #clock: Clock;
  readonly #options: TimeBudgetOptions;
  #leftMs: number;
  #atMs: number;

  constructor(clock: Clock, options: TimeBudgetOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#leftMs = options.mostMs;
    this.#atMs = clock.now();
  }

  spend(durationMs: number): void {
    const { share, longestWaitMs } = this.#options;
    this.#earn();
    this.#leftMs = Math.max(this.#leftMs - durationMs, -longestWaitMs * share);
  }

  /** How long to wait until there is something to spend again, in milliseconds. */
  waitMs(): number {
    this.#earn();
    return this.#leftMs >= 0 ? 0 : -this.#leftMs / this.#options.share;
  }

  #earn(): void {
    const { share, mostMs } = this.#options;
    const now = this.#clock.now();
    // Not less than nothing where the clock was set back.
    const passedMs = Math.max(0, now - this.#atMs);
    this.#atMs = now;
    this.#leftMs = Math.min(mostMs, this.#leftMs + passedMs * share);
  }
}
