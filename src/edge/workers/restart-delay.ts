import type { Clock } from '../../core/clock.ts';

const firstMs = 100;
const longestMs = 30_000;
/** Whoever lives that long is well. */
const healthyMs = 60_000;

/** How long to wait before a worker is started again: at once after a long life, longer with each short one. */
export class RestartDelay {
  readonly #clock: Clock;
  #startedAt = 0;
  #failures = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  started(): void {
    this.#startedAt = this.#clock.now();
  }

  /** The worker has ended. Gives milliseconds. */
  next(): number {
    const lifeMs = this.#clock.now() - this.#startedAt;
    // A clock that was set back says nothing of a life.
    this.#failures = lifeMs >= healthyMs || lifeMs < 0 ? 0 : this.#failures + 1;
    return this.#failures <= 1 ? 0 : Math.min(longestMs, firstMs * 2 ** (this.#failures - 2));
  }
}
