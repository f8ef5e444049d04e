import type { Ticks } from './server-exchange.ts';

/** How many events at once, and how many more a second. */
export interface FloodBounds {
  readonly burst: number;
  readonly perTick: number;
}

/** Counts events that cost a peer little and us much (pings, settings, requests given up), and says when they are too many. */
export class FloodGuard {
  readonly #bounds: FloodBounds;
  readonly #ticks: Ticks;
  #left: number;
  #at: number;

  constructor(bounds: FloodBounds, ticks: Ticks) {
    this.#bounds = bounds;
    this.#ticks = ticks;
    this.#left = bounds.burst;
    this.#at = ticks.now;
  }

  /** Counts one. False where it is one too many. */
  allow(): boolean {
    this.#refill();
    this.#left -= 1;
    return this.#left >= 0;
  }

  /** There were too many, not long ago. */
  get exceeded(): boolean {
    this.#refill();
    return this.#left < 0;
  }

  #refill(): void {
    const { burst, perTick } = this.#bounds;
    this.#left = Math.min(burst, this.#left + (this.#ticks.now - this.#at) * perTick);
    this.#at = this.#ticks.now;
  }
}
