import type { Challenge } from '../api/acme/challenge.ts';

/** A challenge to be solved. */
export interface ChallengeTarget {
  /** The object. Its solver settings are in its spec, which does not change. */
  readonly challenge: Challenge;
  /**
   * What the CA must find, computed from the account key and the token. Never the `spec.key` of the object: users
   * who can write Challenges must not choose what Postern serves (GHSA-8rvj-mm4h-c258).
   */
  readonly keyAuthorization: string;
}

/** Why the CA would not find the answer yet, in words for the user. None of them are the other side's. */
export interface CheckFailure {
  /** What was seen: `connection refused at 192.0.2.1:80`. */
  readonly reason: string;
  /** What to do about it. */
  readonly fix: string;
}

/** How the check of a challenge stands. */
export type CheckState =
  /** Under way; `last` is how the try before it failed. `isSlow`: it takes long enough for others to go before it. */
  | { readonly state: 'running'; readonly last?: CheckFailure | undefined; readonly isSlow?: boolean }
  | { readonly state: 'passed' }
  /** Nothing happens until `check` is called again, after `retryAfterMs` or later. */
  | ({ readonly state: 'failed'; readonly retryAfterMs: number } & CheckFailure);

/**
 * A way to solve challenges. All calls are idempotent, and may come from any number of reconciles at once. What is
 * presented is kept in this process too, so `present` must be called again after a restart, before the
 * challenge is accepted or while the CA is still validating it.
 */
export interface Solver {
  /** Puts everything in place for the CA to find the answer. Throws a PosternError that the user can read. */
  present(target: ChallengeTarget): Promise<void>;
  /** Whether the answer can be found, as the CA would look for it. Never waits: a change is told by a callback. */
  check(target: ChallengeTarget): CheckState;
  /** Takes everything away again. Succeeds where there is nothing (any more); needs no key authorization. */
  cleanUp(challenge: Challenge): Promise<void>;
}
