import type { Endpoint } from '../compile/table.ts';

/**
 * Endpoints of a backend in turn. Counted by the backend's key, so that a new table goes on where the last one was.
 * Counters of backends that are gone are forgotten with `keep`.
 */
export class RoundRobin {
  readonly #next = new Map<string, number>();

  /** The endpoints in the order in which they are to be tried for one request. */
  order(key: string, endpoints: readonly Endpoint[]): Endpoint[] {
    const start = (this.#next.get(key) ?? 0) % Math.max(1, endpoints.length);
    this.#next.set(key, start + 1);
    return [...endpoints.slice(start), ...endpoints.slice(0, start)];
  }

  /** Forgets the backends whose key is not among these. */
  keep(keys: ReadonlySet<string>): void {
    for (const key of this.#next.keys()) if (!keys.has(key)) this.#next.delete(key);
  }
}
