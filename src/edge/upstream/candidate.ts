import type { Clock } from '../../core/clock.ts';
import type { Endpoint } from '../compile/table.ts';
import { hashOf } from './consistent-hash.ts';

/** The first time that an endpoint is left alone, and the longest, in milliseconds. */
export const shortestRestMs = 1_000;
export const longestRestMs = 30_000;

/**
 * One endpoint of a backend as this process knows it: what is under way there, and whether it took the last connections
 * (passive health). Its numbers are this process's own, and outlive changes of the table.
 *
 *   fit --refused--> resting (1 s, doubled each time up to 30 s) --over, one request asks--> resting on, until it
 *    ^                                                                                            |
 *    '--------------------------------- answered, or a connection stood -------------------------'
 */
export class Candidate {
  readonly endpoint: Endpoint;
  /** Of the address and port, for consistent hashing: the same in all processes. */
  readonly hash: number;
  readonly #clock: Clock;
  #underWay = 0;
  #refusals = 0;
  #restUntilMs = 0;

  constructor(endpoint: Endpoint, clock: Clock) {
    this.endpoint = endpoint;
    this.hash = hashOf(candidateKey(endpoint));
    this.#clock = clock;
  }

  /** Requests that have begun and not ended. */
  get underWay(): number {
    return this.#underWay;
  }

  /** A request is sent here. Each call is met by one of `end`. */
  begin(): void {
    this.#underWay += 1;
  }

  end(): void {
    this.#underWay -= 1;
  }

  /** No connection came about: refused, unreachable, or not in time. */
  refused(): void {
    // Requests that were under way together count once.
    if (this.#refusals > 0 && this.#rests()) return;
    this.#refusals += 1;
    this.#rest();
  }

  /** A connection stood: it is fit. */
  accepted(): void {
    this.#refusals = 0;
  }

  /** Whether a request may be sent here. */
  fit(): boolean {
    return this.#refusals === 0 || !this.#rests();
  }

  /** To be called for the one that was chosen: where a rest is just over, the others wait for what becomes of this try. */
  chosen(): void {
    if (this.#refusals > 0 && !this.#rests()) this.#rest();
  }

  #restMs(): number {
    return Math.min(longestRestMs, shortestRestMs * 2 ** (this.#refusals - 1));
  }

  #rest(): void {
    this.#restUntilMs = this.#clock.now() + this.#restMs();
  }

  #rests(): boolean {
    const leftMs = this.#restUntilMs - this.#clock.now();
    // More than was ever set: the clock was set back.
    return leftMs > 0 && leftMs <= this.#restMs();
  }
}

/** Equal for equal endpoints. */
export function candidateKey({ address, port }: Endpoint): string {
  return `${address} ${port}`;
}
