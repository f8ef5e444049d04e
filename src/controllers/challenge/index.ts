import { challenges } from '../../api/acme/challenge.ts';
import { orders } from '../../api/acme/order.ts';
import { keyOf, type ObjectKey } from '../../api/meta.ts';
import type { AcmeAccounts } from '../../issuers/acme/accounts.ts';
import type { ControllerSpec } from '../../runtime/controller.ts';
import type { Solver } from '../../solvers/solver.ts';
import type { ControllerContext } from '../context.ts';
import { createHolds } from '../holds.ts';
import { addIssuerIndex, watchIssuers } from '../issuer-watch.ts';
import { byOrder } from '../order/index-names.ts';
import { createPatience } from '../patience.ts';
import { createPollPacer } from '../poll-pacer.ts';
import type { Proofs } from '../proofs.ts';
import { isOver } from './decide.ts';
import { reconcileChallenge } from './reconcile.ts';
import { createTurns } from './turns.ts';

/** How this controller is set up. */
export interface ChallengeOptions {
  readonly accounts: AcmeAccounts;
  readonly solver: Solver;
  /** Where the Orders hear of what is proved. */
  readonly proofs: Proofs;
  /** The keys, as text, of the Challenges that this process has made. */
  readonly madeHere: Set<string>;
  /** Told of each challenge whose self-check has settled. */
  readonly onCheckSettled: (listener: (key: ObjectKey) => void) => unknown;
  /** Whether requests are approved here: see `RequestOptions`. */
  readonly approves: boolean;
  /** --max-concurrent-challenges */
  readonly mostAtOnce: number;
}

/** Challenges are presented, checked, accepted and cleaned up. Looks them up by the Order controller's index. */
export function challengeController(context: ControllerContext, options: ChallengeOptions): ControllerSpec {
  const { accounts, solver, proofs, madeHere, approves, onCheckSettled, mostAtOnce } = options;
  const cache = context.caches.cacheOf(challenges);
  addIssuerIndex(cache);
  let onTurn: (key: ObjectKey) => void = () => {};
  const tools = {
    context,
    accounts,
    solver,
    holds: createHolds(context.clock),
    pacer: createPollPacer(context.clock),
    patience: createPatience(context.clock),
    proofs,
    turns: createTurns(mostAtOnce, key => onTurn(key)),
    madeHere,
    approves,
    memory: new Map(),
  };
  return {
    name: 'challenges',
    // Each waits on the ACME server most of the time.
    concurrency: 32,
    watch(enqueue) {
      onTurn = enqueue;
      cache.onChange(({ before, after }) => {
        const challenge = after ?? before;
        if (challenge !== undefined) enqueue(keyOf(challenge));
      });
      context.caches.cacheOf(orders).onChange(({ before, after }) => {
        if (before === undefined || before.metadata.uid === after?.metadata.uid) return;
        for (const challenge of cache.byIndex(byOrder, before.metadata.uid ?? '')) enqueue(keyOf(challenge));
      });
      onCheckSettled(enqueue);
      watchIssuers(context.caches, cache, challenge => !isOver(challenge), enqueue);
    },
    reconcile: (key, signal) => reconcileChallenge(tools, key, signal),
  };
}
