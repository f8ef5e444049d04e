import { acceptChallenge, getChallenge, keyAuthorization } from '../../acme/authorization.ts';
import type { AcmeConnection } from '../../acme/connection.ts';
import { AcmeError, endsOrder } from '../../acme/errors.ts';
import { problemText } from '../../acme/problem.ts';
import type { AcmeChallenge } from '../../acme/resources.ts';
import { type Challenge, type ChallengeStatus, challenges } from '../../api/acme/challenge.ts';
import { orders } from '../../api/acme/order.ts';
import { challengeFinalizer } from '../../api/labels.ts';
import { controllerOf, keyText, type ObjectKey } from '../../api/meta.ts';
import { acmeEvents } from '../../api/reasons.ts';
import { canonicalJson } from '../../core/canonical-json.ts';
import { PosternError } from '../../core/errors.ts';
import type { AcmeAccounts } from '../../issuers/acme/accounts.ts';
import { lookUpIssuer } from '../../issuers/lookup.ts';
import { isKubeError, KubeError } from '../../kube/errors.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import type { ChallengeTarget, CheckState, Solver } from '../../solvers/solver.ts';
import type { ControllerContext } from '../context.ts';
import { pendingGraceLeftMs } from '../pending-grace.ts';
import type { PollPacer } from '../poll-pacer.ts';
import { decideChallenge } from './decide.ts';
import { hasTurn } from './turns.ts';

/** How this controller was set up. */
export interface ChallengeOptions {
  readonly accounts: AcmeAccounts;
  readonly solver: Solver;
  readonly pacer: PollPacer;
  /** Told of each challenge whose self-check has settled. */
  readonly onCheckSettled: (listener: (key: ObjectKey) => void) => unknown;
  /** --max-concurrent-challenges */
  readonly mostAtOnce: number;
}

/**
 * What this process knows of a Challenge beside the object. Lost in a crash, it is found again: presenting, checking and
 * accepting may all be repeated.
 */
export interface ChallengeMemory {
  readonly target: ChallengeTarget;
  accepted: boolean;
}

/** Takes one Challenge a step forward. `memory` outlives the call, one entry for each Challenge under way. */
export async function reconcileChallenge(
  context: ControllerContext,
  options: ChallengeOptions,
  memory: Map<string, ChallengeMemory>,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const cache = context.caches.cacheOf(challenges);
  const challenge = cache.get(key);
  if (challenge === undefined) {
    await forget(options, memory, key);
    return {};
  }
  const order = context.caches
    .cacheOf(orders)
    .get({ namespace: key.namespace, name: controllerOf(challenge)?.name ?? '' });
  const decision = decideChallenge(challenge, order, hasTurn(challenge, cache.list(), options.mostAtOnce));
  switch (decision.kind) {
    case 'clean-up':
      await cleanUp(context, options, memory, challenge);
      return {};
    case 'refuse':
      context.events.warning(challenge, acmeEvents.failed, decision.reason);
      await writeStatus(context, challenge, { state: 'errored', reason: decision.reason });
      return {};
    case 'queue':
      return wait(context, challenge, {
        processing: false,
        state: 'pending',
        reason: 'Waiting for its turn.',
      });
    case 'solve':
      return solve(context, options, memory, challenge, signal);
  }
}

async function solve(
  context: ControllerContext,
  options: ChallengeOptions,
  memory: Map<string, ChallengeMemory>,
  challenge: Challenge,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const issuer = lookUpIssuer(context.caches, challenge.spec.issuerRef, challenge.metadata.namespace ?? '');
  if (issuer === undefined) {
    return wait(context, challenge, {
      processing: false,
      state: 'pending',
      reason: 'Its issuer does not exist.',
    });
  }
  const connection = options.accounts.connectionFor(issuer);
  const known = remember(memory, challenge, connection);
  try {
    if (!known.accepted) {
      const problem = await present(context, options, known.target);
      if (problem !== undefined) return problem;
      const check = options.solver.check(known.target);
      if (check.state !== 'passed') return await checking(context, challenge, check);
    }
    const found = known.accepted
      ? await getChallenge(connection, challenge.spec.url, { signal })
      : await acceptOrRead(connection, challenge.spec.url, signal);
    known.accepted = true;
    return await follow(context, options, challenge, found);
  } catch (error) {
    if (!(error instanceof AcmeError) || !endsOrder(error)) throw error;
    await end(context, challenge, 'errored', error.message);
    return {};
  }
}

/** Acts on what the ACME server says of a challenge that was accepted. */
async function follow(
  context: ControllerContext,
  options: ChallengeOptions,
  challenge: Challenge,
  found: AcmeChallenge,
): Promise<ReconcileResult> {
  switch (found.status) {
    case 'valid':
      await writeStatus(context, challenge, {
        processing: false,
        presented: true,
        state: 'valid',
        reason: 'The ACME server has verified the name.',
      });
      return {};
    case 'invalid': {
      const said = found.error === undefined ? 'no reason was given' : problemText(found.error);
      await end(context, challenge, 'invalid', `The ACME server could not verify the name: ${said}`);
      return {};
    }
    default: {
      const pollMs = options.pacer.nextDelayMs(challenge.metadata.uid ?? '', found.retryAfterMs);
      await wait(context, challenge, {
        processing: true,
        presented: true,
        state: 'pending',
        reason: 'Waiting for the ACME server to verify the name.',
      });
      return { requeueAfterMs: pollMs };
    }
  }
}

/** Puts the answer in place. What keeps it from that is said in the status; what may pass by itself is tried again. */
async function present(
  context: ControllerContext,
  options: ChallengeOptions,
  target: ChallengeTarget,
): Promise<ReconcileResult | undefined> {
  try {
    await options.solver.present(target);
    return undefined;
  } catch (error) {
    if (!(error instanceof PosternError) || error instanceof KubeError) throw error;
    if (error.retry === 'never') {
      await end(context, target.challenge, 'errored', error.message);
      return {};
    }
    context.events.warning(target.challenge, acmeEvents.presentError, error.message);
    await writeStatus(context, target.challenge, {
      processing: true,
      presented: false,
      state: 'pending',
      reason: error.message,
    });
    throw error;
  }
}

/** The self-check is under way, or has failed and is tried again. */
async function checking(
  context: ControllerContext,
  challenge: Challenge,
  check: Exclude<CheckState, { state: 'passed' }>,
): Promise<ReconcileResult> {
  const failure = check.state === 'failed' ? check : check.last;
  const reason =
    failure === undefined
      ? 'Checking that the challenge can be reached.'
      : `The self-check fails: ${failure.reason}; ${failure.fix}.`;
  const { requeueAfterMs } = await wait(context, challenge, {
    processing: true,
    presented: true,
    state: 'pending',
    reason,
  });
  const waits = [requeueAfterMs, check.state === 'failed' ? check.retryAfterMs : undefined].filter(
    ms => ms !== undefined,
  );
  return waits.length === 0 ? {} : { requeueAfterMs: Math.min(...waits) };
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
    if (!(error instanceof AcmeError) || error.code !== 'ACME_MALFORMED') throw error;
    return getChallenge(connection, url, { signal });
  }
}

function remember(
  memory: Map<string, ChallengeMemory>,
  challenge: Challenge,
  connection: AcmeConnection,
): ChallengeMemory {
  const id = keyText({ namespace: challenge.metadata.namespace ?? '', name: challenge.metadata.name ?? '' });
  const known = memory.get(id);
  if (known?.target.challenge.metadata.uid === challenge.metadata.uid && known !== undefined) return known;
  // The answer is computed from our own key; what the object says it is, is not served.
  const fresh = {
    target: { challenge, keyAuthorization: keyAuthorization(connection, challenge.spec.token) },
    accepted: false,
  };
  memory.set(id, fresh);
  return fresh;
}

async function cleanUp(
  context: ControllerContext,
  options: ChallengeOptions,
  memory: Map<string, ChallengeMemory>,
  challenge: Challenge,
): Promise<void> {
  const { namespace = '', name = '', uid = '', finalizers = [] } = challenge.metadata;
  await options.solver.cleanUp(challenge);
  options.pacer.forget(uid);
  memory.delete(keyText({ namespace, name }));
  const isOurs = (finalizer: string): boolean =>
    finalizer === challengeFinalizer || finalizer === oldChallengeFinalizer;
  if (challenge.metadata.deletionTimestamp === undefined || !finalizers.some(isOurs)) return;
  try {
    await context.api.mergePatch(
      challenges,
      { namespace, name },
      {
        metadata: {
          finalizers: finalizers.filter(finalizer => !isOurs(finalizer)),
          resourceVersion: challenge.metadata.resourceVersion,
        },
      },
    );
  } catch (error) {
    if (!isKubeError(error, 'KUBE_NOT_FOUND')) throw error;
  }
}

/** How cert-manager spelled the finalizer before 1.10. */
const oldChallengeFinalizer = 'finalizer.acme.cert-manager.io';

async function forget(
  options: ChallengeOptions,
  memory: Map<string, ChallengeMemory>,
  key: ObjectKey,
): Promise<void> {
  const known = memory.get(keyText(key));
  if (known === undefined) return;
  await options.solver.cleanUp(known.target.challenge);
  options.pacer.forget(known.target.challenge.metadata.uid ?? '');
  memory.delete(keyText(key));
}

async function end(
  context: ControllerContext,
  challenge: Challenge,
  state: 'invalid' | 'errored',
  reason: string,
): Promise<void> {
  context.events.warning(challenge, acmeEvents.failed, reason);
  await writeStatus(context, challenge, { processing: false, state, reason });
}

/** Says what a Challenge waits for, once it has waited a while. */
async function wait(
  context: ControllerContext,
  challenge: Challenge,
  status: ChallengeStatus,
): Promise<ReconcileResult> {
  const leftMs = pendingGraceLeftMs(challenge, context.clock.now());
  if (leftMs > 0) return { requeueAfterMs: leftMs };
  await writeStatus(context, challenge, status);
  return {};
}

async function writeStatus(
  { api }: ControllerContext,
  challenge: Challenge,
  change: ChallengeStatus,
): Promise<void> {
  const status = { ...challenge.status, ...change };
  if (canonicalJson(status) === canonicalJson(challenge.status ?? {})) return;
  await api.updateStatus(challenges, { ...challenge, status });
}
