import type { Endpoint } from '../compile/table.ts';
import type { ForwardDecision } from '../policy/decision.ts';
import type { Balancer } from '../upstream/balancer.ts';
import type { Candidate } from '../upstream/candidate.ts';
import type { UpstreamFailure } from '../upstream/failure.ts';
import { decideRetry } from '../upstream/retry.ts';

const noCandidates: readonly Candidate[] = Object.freeze([]);

/** The endpoints at which one request is tried, one after the other. */
export class EndpointTries {
  readonly #balancer: Balancer;
  readonly #startedMs: number;
  /** The endpoint of this try; it counts as busy until the try is over. */
  #candidate: Candidate | undefined;
  #tried: readonly Candidate[] = noCandidates;
  #count = 0;

  constructor(balancer: Balancer, startedMs: number) {
    this.#balancer = balancer;
    this.#startedMs = startedMs;
  }

  /** The endpoint of the try under way. */
  get endpoint(): Endpoint | undefined {
    return this.#candidate?.endpoint;
  }

  /** The endpoint is not the one that was chosen first. */
  get repeated(): boolean {
    return this.#count > 1;
  }

  /** Begins a try, at an endpoint that was not tried before where there is one. Undefined where none is ready. */
  begin({ backend, policy, pinned, hashText }: ForwardDecision): Endpoint | undefined {
    const candidate = this.#balancer.choose(
      backend,
      { balance: policy.balance, pinned, hashText },
      this.#tried,
    );
    if (candidate === undefined) return undefined;
    this.#candidate = candidate;
    candidate.begin();
    this.#count += 1;
    return candidate.endpoint;
  }

  /** The endpoint took the request. */
  accepted(): void {
    this.#candidate?.accepted();
  }

  /** No connection to the endpoint came about. */
  refused(): void {
    this.#candidate?.refused();
  }

  end(): void {
    this.#candidate?.end();
    this.#candidate = undefined;
  }

  /**
   * Ends the try and gives true where another one is safe, and better than nothing. `repeatable` and `untouched`: as by
   * `decideRetry`.
   */
  isOverFor(
    decision: ForwardDecision,
    method: string,
    outcome: UpstreamFailure | number,
    untouched: boolean,
    repeatable: boolean,
  ): boolean {
    const again = decideRetry(decision.policy.retry, {
      method,
      outcome,
      untouched,
      repeatable,
      tries: this.#count,
      endpoints: this.#balancer.count(decision.backend),
      elapsedMs: performance.now() - this.#startedMs,
    });
    if (!again) return false;
    const candidate = this.#candidate;
    this.end();
    if (candidate !== undefined) this.#tried = [...this.#tried, candidate];
    return true;
  }
}
