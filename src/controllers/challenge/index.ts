import { type Challenge, challenges } from '../../api/acme/challenge.ts';
import { keyOf } from '../../api/meta.ts';
import type { ControllerSpec } from '../../runtime/controller.ts';
import type { ControllerContext } from '../context.ts';
import { isFinal } from '../order/decide.ts';
import { type ChallengeMemory, type ChallengeOptions, reconcileChallenge } from './reconcile.ts';

/** Challenges are presented, checked, accepted and cleaned up. */
export function challengeController(context: ControllerContext, options: ChallengeOptions): ControllerSpec {
  const cache = context.caches.cacheOf(challenges);
  const memory = new Map<string, ChallengeMemory>();
  return {
    name: 'challenges',
    // Each waits on the ACME server most of the time.
    concurrency: 32,
    watch(enqueue) {
      cache.onChange(({ before, after }) => {
        const challenge = after ?? before;
        if (challenge === undefined) return;
        enqueue(keyOf(challenge));
        if (wasHolding(before) && !wasHolding(after)) {
          // A turn has come free.
          for (const other of cache.list()) if (wasHolding(other)) enqueue(keyOf(other));
        }
      });
      options.onCheckSettled(enqueue);
    },
    reconcile: (key, signal) => reconcileChallenge(context, options, memory, key, signal),
  };
}

function wasHolding(challenge: Challenge | undefined): boolean {
  return challenge !== undefined && !isFinal(challenge.status?.state);
}
