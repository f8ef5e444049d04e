import type { Clock } from '../core/clock.ts';

const mostRemembered = 1_000;

/** Lets one of many equal messages through in each interval. */
export class RateGate {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #passedAt = new Map<string, number>();

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  /** Whether the message of this key may pass now. */
  passes(key: string): boolean {
    const now = this.#clock.now();
    const passedAt = this.#passedAt.get(key);
    // What passed in the future, passed before the clock was set back.
    if (passedAt !== undefined && now >= passedAt && now - passedAt < this.#intervalMs) return false;
    this.#passedAt.delete(key);
    this.#passedAt.set(key, now);
    if (this.#passedAt.size > mostRemembered) {
      const oldest = this.#passedAt.keys().next();
      if (oldest.done !== true) this.#passedAt.delete(oldest.value);
    }
    return true;
  }
}
