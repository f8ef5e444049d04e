import { acceptChallenge, getChallenge, keyAuthorization } from '../../acme/authorization.ts';
import type { AcmeConnection } from '../../acme/connection.ts';
import { isAcmeError } from '../../acme/errors.ts';
import { problemText } from '../../acme/problem.ts';
import type { AcmeChallenge } from '../../acme/resources.ts';
import type { Challenge } from '../../api/acme/challenge.ts';
import { keyOf, keyText } from '../../api/meta.ts';
import { acmeEvents, selfCheckFails } from '../../api/reasons.ts';
import { parseDuration } from '../../core/duration.ts';
import { PosternError } from '../../core/errors.ts';
import { ended } from '../../issuers/sentence.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import type { CheckState } from '../../solvers/solver.ts';
import { acmeStep } from '../acme-step.ts';
import { losesOrder, orderIsLost } from '../order/lost-order.ts';
import { progressGraceMs } from '../patience.ts';
import { isRefusedWrite } from '../refused-write.ts';
import { soonest } from '../requeue.ts';
import { cleanUp } from './clean-up.ts';
import {
  type ChallengeMemory,
  type ChallengeTools,
  changeStatus,
  endChallenge,
  tellTurn,
  tellWait,
} from './tools.ts';

/** Presents, checks, accepts: as far as it goes now. */
export function solve(
  tools: ChallengeTools,
  challenge: Challenge,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { context, accounts, holds, solver } = tools;
  return acmeStep({
    context,
    accounts,
    issuerRef: challenge.spec.issuerRef,
    key: keyOf(challenge),
    holds,
    signal,
    wait: (reason, how) => tellWait(tools, challenge, { processing: true, reason }, how),
    end: (reason, error) =>
      endChallenge(tools, challenge, 'errored', losesOrder(error) ? `${orderIsLost}${reason}` : reason),
    async step(_issuer, connection) {
      const known = remember(tools, challenge, connection);
      const isInherited = !tools.madeHere.has(keyText(keyOf(challenge)));
      if (!known.accepted) {
        const problem = await present(tools, challenge, known);
        if (problem !== undefined) return problem;
        known.accepted = isInherited && (await isUnderWay(tools, challenge, known, connection, signal));
      }
      if (!known.accepted) {
        const waitMs = waitInsteadOfCheck(challenge);
        if (waitMs !== undefined) {
          const leftMs = leftOf(waitMs, known, context.clock.now());
          if (leftMs > 0) return waiting(tools, challenge, leftMs);
        } else {
          const check = solver.check(known.target);
          if (check.state !== 'passed') return checking(tools, challenge, check);
        }
        // However many have stepped aside: the CA is not asked to look at more at once than there are turns.
        if (!tools.turns.takeAgain(challenge)) return tellTurn(tools, challenge);
      }
      const { url } = challenge.spec;
      const found = known.accepted
        ? await getChallenge(connection, url, { signal })
        : await acceptOrRead(connection, url, signal);
      known.accepted = true;
      return follow(tools, challenge, found, isInherited);
    },
  });
}

/**
 * Whether a Challenge that another process has left behind was accepted by it. What the server has under way, or has
 * settled, needs no self-check any more: it is asked when the Challenge is first seen, and when the check fails.
 */
async function isUnderWay(
  { solver }: ChallengeTools,
  { spec }: Challenge,
  known: ChallengeMemory,
  connection: AcmeConnection,
  signal: AbortSignal,
): Promise<boolean> {
  const asked = known.askedServer ?? 0;
  if (asked > 1 || (asked === 1 && solver.check(known.target).state !== 'failed')) return false;
  const found = await getChallenge(connection, spec.url, { signal });
  known.askedServer = asked + 1;
  return found.status !== 'pending';
}

/** What is known of a Challenge. The answer is computed from our own key; what the object says it is, is not served. */
function remember(
  { memory }: ChallengeTools,
  challenge: Challenge,
  connection: AcmeConnection,
): ChallengeMemory {
  const id = keyText(keyOf(challenge));
  const answer = keyAuthorization(connection, challenge.spec.token);
  const known = memory.get(id);
  const { uid } = challenge.metadata;
  if (known?.target.challenge.metadata.uid === uid && known?.target.keyAuthorization === answer) return known;
  const fresh = { target: { challenge, keyAuthorization: answer }, accepted: false };
  memory.set(id, fresh);
  return fresh;
}

/** Puts the answer in place. What keeps it from that is said in the status; what may pass by itself is tried again. */
async function present(
  tools: ChallengeTools,
  challenge: Challenge,
  { target }: ChallengeMemory,
): Promise<ReconcileResult | undefined> {
  try {
    await tools.solver.present(target);
    return undefined;
  } catch (error) {
    // A call that failed is no news; a server, or a webhook behind it, that refuses the object is.
    const isNews = error instanceof PosternError && !isKubeError(error);
    if (!isNews && !isRefusedWrite(error)) throw error;
    const reason = ended(error.message);
    if (error.retry === 'never') return endChallenge(tools, challenge, 'errored', reason);
    tools.turns.stepAside(challenge);
    const change = { processing: true, presented: false, state: 'pending', reason } as const;
    if (await changeStatus(tools, challenge, change))
      tools.context.events.warning(challenge, acmeEvents.presentError, reason);
    throw error;
  }
}

/** How long the solver's settings say to wait instead of looking; undefined where it is looked. */
function waitInsteadOfCheck({ spec }: Challenge): number | undefined {
  const { waitInsteadOfSelfCheck } = spec.solver;
  return waitInsteadOfSelfCheck === undefined ? undefined : parseDuration(waitInsteadOfSelfCheck);
}

/** What is left of a wait that began when the answer was in place. A restart begins it anew. */
function leftOf(waitMs: number, known: ChallengeMemory, nowMs: number): number {
  known.presentedAtMs ??= nowMs;
  return Math.min(waitMs, known.presentedAtMs + waitMs - nowMs);
}

async function waiting(
  tools: ChallengeTools,
  challenge: Challenge,
  leftMs: number,
): Promise<ReconcileResult> {
  // There is nothing to do for it meanwhile, and others have something.
  tools.turns.stepAside(challenge);
  const reason = `Waiting ${challenge.spec.solver.waitInsteadOfSelfCheck ?? ''} without a self-check, as the solver says.`;
  const { requeueAfterMs } = await tellWait(tools, challenge, { processing: true, presented: true, reason });
  return soonest(requeueAfterMs, leftMs);
}

/** The self-check is under way, or has failed and is tried again. A name that is not answered at once holds no turn. */
async function checking(
  tools: ChallengeTools,
  challenge: Challenge,
  check: Exclude<CheckState, { state: 'passed' }>,
): Promise<ReconcileResult> {
  const failure = check.state === 'failed' ? check : check.last;
  if (check.state === 'failed' || check.last !== undefined || check.isSlow === true)
    tools.turns.stepAside(challenge);
  const reason =
    failure === undefined
      ? 'Checking that the challenge can be reached.'
      : `${selfCheckFails}${failure.reason}; ${ended(failure.fix)}`;
  const change = { processing: true, presented: true, reason } as const;
  const how = failure === undefined ? { graceMs: progressGraceMs } : {};
  const { requeueAfterMs } = await tellWait(tools, challenge, change, how);
  return soonest(requeueAfterMs, check.state === 'failed' ? check.retryAfterMs : undefined);
}

async function acceptOrRead(
  connection: AcmeConnection,
  url: string,
  signal: AbortSignal,
): Promise<AcmeChallenge> {
  try {
    return await acceptChallenge(connection, url, { signal });
  } catch (error) {
    // A challenge that was accepted before, by a process that did not live on, may be refused now: its state tells.
    if (!isAcmeError(error, 'ACME_MALFORMED')) throw error;
    return getChallenge(connection, url, { signal });
  }
}

/** Removes the solver's traces. The Order deletes the Challenge; where it does not soon, the status says how it went. */
export async function finishProved(tools: ChallengeTools, challenge: Challenge): Promise<ReconcileResult> {
  const leftMs = tools.proofs.leftMs(challenge);
  if (leftMs > 0) {
    await cleanUp(tools, challenge);
    return { requeueAfterMs: leftMs };
  }
  const reason = 'The ACME server has verified the name.';
  await changeStatus(tools, challenge, { processing: false, presented: true, state: 'valid', reason });
  return {};
}

/** Acts on what the ACME server says of a challenge that was accepted. */
async function follow(
  tools: ChallengeTools,
  challenge: Challenge,
  found: AcmeChallenge,
  isInherited: boolean,
): Promise<ReconcileResult> {
  switch (found.status) {
    case 'valid':
      tools.pacer.done(keyOf(challenge));
      tools.proofs.add(challenge);
      return finishProved(tools, challenge);
    case 'invalid': {
      const said = found.error === undefined ? 'no reason was given' : problemText(found.error);
      // Nobody answered while no process was there: that is not the name's fault.
      const cause = isInherited ? `${orderIsLost}Postern was restarted meanwhile. ` : '';
      const reason = `${cause}The ACME server could not verify the name: ${ended(said)}`;
      return endChallenge(tools, challenge, 'invalid', reason);
    }
    default: {
      const reason = 'Waiting for the ACME server to verify the name.';
      const change = { processing: true, presented: true, reason } as const;
      const how = { graceMs: progressGraceMs };
      const { requeueAfterMs } = await tellWait(tools, challenge, change, how);
      return soonest(requeueAfterMs, tools.pacer.nextDelayMs(keyOf(challenge), found.retryAfterMs));
    }
  }
}
