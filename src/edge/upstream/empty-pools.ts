/** A pool of connections to one endpoint. */
export interface EmptyablePool {
  /** No connection is open. */
  readonly empty: boolean;
}

/**
 * Pools whose last connection has gone. What they know (a session to resume, a context) saves time with the next one, and
 * so some are kept; but a client may choose what names are asked (`auth-url: https://$host/`), and so not all.
 */
export class EmptyPools<P extends EmptyablePool> {
  readonly #most: number;
  readonly #forget: (pool: P) => void;
  /** In the order in which they became empty. Those that have a connection again are found when their turn comes. */
  readonly #pools = new Set<P>();

  /** `forget` is called with the one that has been empty for the longest, once there are more than `most`. */
  constructor(most: number, forget: (pool: P) => void) {
    this.#most = most;
    this.#forget = forget;
  }

  add(pool: P): void {
    this.#pools.delete(pool);
    this.#pools.add(pool);
    if (this.#pools.size <= this.#most) return;
    for (const oldest of this.#pools) {
      this.#pools.delete(oldest);
      if (oldest.empty) this.#forget(oldest);
      return;
    }
  }
}

/** Of each connector. */
export const mostEmptyPools = 1_000;
