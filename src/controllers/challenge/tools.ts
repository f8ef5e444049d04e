import { type Challenge, type ChallengeStatus, challenges } from '../../api/acme/challenge.ts';
import { keyOf } from '../../api/meta.ts';
import { acmeEvents } from '../../api/reasons.ts';
import type { AcmeAccounts } from '../../issuers/acme/accounts.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import type { ChallengeTarget, Solver } from '../../solvers/solver.ts';
import type { ControllerContext } from '../context.ts';
import type { Holds } from '../holds.ts';
import { type Patience, progressGraceMs, type WaitOptions } from '../patience.ts';
import type { PollPacer } from '../poll-pacer.ts';
import type { Proofs } from '../proofs.ts';
import { rateLimited, saysRateLimited } from '../rate-limit-text.ts';
import { writeStatus } from '../write-status.ts';
import type { Turns } from './turns.ts';

/**
 * What this process knows of a Challenge beside the object. Lost in a crash, it is found again: presenting, checking and
 * accepting may all be repeated.
 */
export interface ChallengeMemory {
  readonly target: ChallengeTarget;
  accepted: boolean;
  /** How often the server was asked whether another process has accepted it. */
  askedServer?: number;
  /** When the answer was in place for the first time, in milliseconds since the epoch. */
  presentedAtMs?: number;
}

/** What every step of every Challenge works with. */
export interface ChallengeTools {
  readonly context: ControllerContext;
  readonly accounts: AcmeAccounts;
  readonly solver: Solver;
  readonly holds: Holds;
  readonly pacer: PollPacer;
  readonly patience: Patience;
  readonly proofs: Proofs;
  readonly turns: Turns;
  /** Whether requests are approved here: see `RequestOptions`. */
  readonly approves: boolean;
  /** The keys, as text, of the Challenges that this process has made. Any other one may have been accepted before. */
  readonly madeHere: Set<string>;
  /** One entry for each Challenge under way, by its key. */
  readonly memory: Map<string, ChallengeMemory>;
}

/** Changes the status of a Challenge. Gives whether it was another before. */
export function changeStatus(
  { context }: ChallengeTools,
  challenge: Challenge,
  change: ChallengeStatus,
): Promise<boolean> {
  return writeStatus(context.api, challenges, challenge, { ...challenge.status, ...change });
}

/** Says that a Challenge waits for its turn. */
export function tellTurn(tools: ChallengeTools, challenge: Challenge): Promise<ReconcileResult> {
  const change = { processing: false, reason: 'Waiting for its turn.' } as const;
  return tellWait(tools, challenge, change, { graceMs: progressGraceMs });
}

/** Ends a Challenge that is lost. */
export async function endChallenge(
  tools: ChallengeTools,
  challenge: Challenge,
  state: 'invalid' | 'errored',
  reason: string,
): Promise<ReconcileResult> {
  await changeStatus(tools, challenge, { processing: false, state, reason });
  tools.context.events.warning(challenge, acmeEvents.failed, reason);
  return {};
}

/** Says what a Challenge waits for, once it has waited a while, or at once where that `isLong`. */
export async function tellWait(
  tools: ChallengeTools,
  challenge: Challenge,
  change: ChallengeStatus & { readonly reason: string },
  { what = change.reason, isLong = false, graceMs }: WaitOptions = {},
): Promise<ReconcileResult> {
  const leftMs = tools.patience.leftMs(keyOf(challenge), what, graceMs);
  if (leftMs > 0 && !isLong) return { requeueAfterMs: leftMs };
  const said = challenge.status?.reason;
  if (change.reason.startsWith(rateLimited) && saysRateLimited(said, tools.context.clock.now())) return {};
  await changeStatus(tools, challenge, { state: 'pending', ...change });
  return {};
}
