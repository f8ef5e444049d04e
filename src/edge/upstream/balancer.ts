import type { Clock } from '../../core/clock.ts';
import type { Backend, Endpoint } from '../compile/table.ts';
import type { Balance } from '../policy/route-policy.ts';
import { Candidate, candidateKey } from './candidate.ts';
import { drawOf, hashOf } from './consistent-hash.ts';

/** A backend that something can be forwarded to. */
export type ReachableBackend = Exclude<Backend, { kind: 'unavailable' }>;

/** What a request asks of the choice. */
export interface EndpointWish {
  /** Undefined: in turn. */
  readonly balance: Balance | undefined;
  /** The endpoint that a cookie points at: taken while it is there, fit and untried. */
  readonly pinned: Endpoint | undefined;
  /** What `balance.by` gives for this request, where `balance` is by hash. */
  readonly hashText: string | undefined;
}

/** Nothing asked: in turn. */
export const plainWish: EndpointWish = Object.freeze({
  balance: undefined,
  pinned: undefined,
  hashText: undefined,
});

const noneTried: readonly Candidate[] = Object.freeze([]);

interface Pool {
  backend: ReachableBackend;
  candidates: readonly Candidate[];
  /** Where the next turn begins. */
  next: number;
}

/**
 * Chooses the endpoint for each request and for each further try of it. What it remembers (turns, requests under way, who
 * refused) is this process's own and hangs on the backend's key and the endpoint's address, so that a new table goes on
 * where the last one was.
 */
export class Balancer {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #pools = new Map<string, Pool>();

  /** `random` gives the first turn, so that worker processes do not all begin at the same endpoint. */
  constructor(clock: Clock, random: () => number = Math.random) {
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * The endpoint for a request, or undefined where the backend has none. Endpoints that refused a short while ago are left
   * out, unless all did: memory alone is no reason for a 503. `tried` are the candidates that this request had before; they
   * come again only when there is no other. The caller calls `begin` and `end`, and `refused` or `accepted`.
   */
  choose(
    backend: ReachableBackend,
    wish: EndpointWish = plainWish,
    tried: readonly Candidate[] = noneTried,
  ): Candidate | undefined {
    const pool = this.#poolOf(backend);
    const { candidates } = pool;
    if (candidates.length <= 1) return candidates[0];
    const chosen =
      pinnedOf(candidates, wish.pinned, tried) ??
      pick(pool, wish, tried, 'fit') ??
      pick(pool, wish, tried, 'untried') ??
      pick(pool, wish, tried, 'any');
    chosen?.chosen();
    return chosen;
  }

  /** How many endpoints there are to try. */
  count(backend: ReachableBackend): number {
    return backend.kind === 'external' ? 1 : backend.endpoints.length;
  }

  /** Forgets the backends that are not among these. */
  keep(backends: { has(key: string): boolean }): void {
    for (const key of this.#pools.keys()) if (!backends.has(key)) this.#pools.delete(key);
  }

  #poolOf(backend: ReachableBackend): Pool {
    const pool = this.#pools.get(backend.key);
    if (pool?.backend === backend) return pool;
    const endpoints =
      backend.kind === 'external' ? [{ address: backend.host, port: backend.port }] : backend.endpoints;
    const known = new Map(pool?.candidates.map(candidate => [candidateKey(candidate.endpoint), candidate]));
    const candidates = endpoints.map(
      endpoint => known.get(candidateKey(endpoint)) ?? new Candidate(endpoint, this.#clock),
    );
    if (pool !== undefined) {
      pool.backend = backend;
      pool.candidates = candidates;
      return pool;
    }
    const next = Math.floor(this.#random() * endpoints.length);
    const made = { backend, candidates, next };
    this.#pools.set(backend.key, made);
    return made;
  }
}

/** How choosy a pick is: none that rest and none that had their try; none that had their try; whatever there is. */
type Choosiness = 'fit' | 'untried' | 'any';

function eligible(candidate: Candidate, tried: readonly Candidate[], choosiness: Choosiness): boolean {
  if (choosiness === 'any') return true;
  return !tried.includes(candidate) && (choosiness === 'untried' || candidate.fit());
}

function pinnedOf(
  candidates: readonly Candidate[],
  pinned: Endpoint | undefined,
  tried: readonly Candidate[],
): Candidate | undefined {
  if (pinned === undefined) return undefined;
  const found = candidates.find(
    ({ endpoint }) => endpoint.port === pinned.port && endpoint.address === pinned.address,
  );
  return found !== undefined && eligible(found, tried, 'fit') ? found : undefined;
}

function pick(
  pool: Pool,
  { balance, hashText }: EndpointWish,
  tried: readonly Candidate[],
  choosiness: Choosiness,
): Candidate | undefined {
  if (balance?.kind === 'hash') return mostDrawn(pool.candidates, hashOf(hashText ?? ''), tried, choosiness);
  return inTurn(pool, tried, choosiness, balance?.kind === 'least-connections');
}

/** The next eligible one; with `leastBusy`, the next of those with the fewest requests under way. */
function inTurn(
  pool: Pool,
  tried: readonly Candidate[],
  choosiness: Choosiness,
  leastBusy: boolean,
): Candidate | undefined {
  const { candidates, next } = pool;
  let best: Candidate | undefined;
  for (let step = 0; step < candidates.length; step += 1) {
    const index = (next + step) % candidates.length;
    const candidate = candidates[index];
    if (candidate === undefined || !eligible(candidate, tried, choosiness)) continue;
    if (best !== undefined && candidate.underWay >= best.underWay) continue;
    best = candidate;
    // The turn goes on behind the one that was chosen: the neighbour of one that is left out gets no double share.
    pool.next = index + 1;
    if (!leastBusy || candidate.underWay === 0) break;
  }
  return best;
}

function mostDrawn(
  candidates: readonly Candidate[],
  textHash: number,
  tried: readonly Candidate[],
  choosiness: Choosiness,
): Candidate | undefined {
  let best: Candidate | undefined;
  let highest = -1;
  for (const candidate of candidates) {
    const draw = drawOf(textHash, candidate.hash);
    if (draw <= highest || !eligible(candidate, tried, choosiness)) continue;
    best = candidate;
    highest = draw;
  }
  return best;
}
