import { type Challenge, challenges } from '../../api/acme/challenge.ts';
import { challengeFinalizer } from '../../api/labels.ts';
import { keyOf, keyText, type ObjectKey } from '../../api/meta.ts';
import { acmeEvents } from '../../api/reasons.ts';
import { messageOf } from '../../core/errors.ts';
import { ended } from '../../issuers/sentence.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { ChallengeTools } from './tools.ts';

/** How cert-manager spelled the finalizer before 1.10. */
const oldChallengeFinalizer = 'finalizer.acme.cert-manager.io';

/** A deletion is not held up for longer than this by traces that cannot be removed. */
const longestCleanUpMs = 10 * 60_000;

/** Removes the solver's traces, and then the finalizer of a Challenge that is being deleted. */
export async function cleanUp(tools: ChallengeTools, challenge: Challenge): Promise<void> {
  const { context, solver, turns } = tools;
  // Whatever comes of it: nobody else has to wait for it.
  turns.release(keyOf(challenge));
  try {
    await solver.cleanUp(challenge);
  } catch (error) {
    const sinceMs = Date.parse(challenge.metadata.deletionTimestamp ?? '');
    const isOverdue = context.clock.now() - sinceMs > longestCleanUpMs;
    if (!isOverdue) throw error;
    const message = `The traces of the challenge could not be removed, and stay: ${ended(messageOf(error))}`;
    context.events.warning(challenge, acmeEvents.cleanUpError, message);
  }
  forget(tools, keyOf(challenge));
  if (challenge.metadata.deletionTimestamp !== undefined) await removeFinalizer(tools, challenge);
}

/** Removes the traces of a Challenge that is gone. */
export async function cleanUpGone(tools: ChallengeTools, key: ObjectKey): Promise<void> {
  const known = tools.memory.get(keyText(key));
  tools.turns.release(key);
  if (known !== undefined) await tools.solver.cleanUp(known.target.challenge);
  forget(tools, key);
  tools.proofs.forget(key);
  tools.madeHere.delete(keyText(key));
}

function forget({ holds, memory, pacer, patience }: ChallengeTools, key: ObjectKey): void {
  memory.delete(keyText(key));
  holds.forget(key);
  pacer.forget(key);
  patience.forget(key);
}

async function removeFinalizer({ context }: ChallengeTools, challenge: Challenge): Promise<void> {
  const { finalizers = [], resourceVersion } = challenge.metadata;
  const others = finalizers.filter(one => one !== challengeFinalizer && one !== oldChallengeFinalizer);
  if (others.length === finalizers.length) return;
  const patch = { metadata: { finalizers: others, resourceVersion } };
  try {
    await context.api.mergePatch(challenges, keyOf(challenge), patch);
  } catch (error) {
    if (!isKubeError(error, 'KUBE_NOT_FOUND')) throw error;
  }
}
