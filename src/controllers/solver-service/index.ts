import { type Challenge, challenges } from '../../api/acme/challenge.ts';
import { services } from '../../api/kubernetes/service.ts';
import type { ControllerSpec } from '../../runtime/controller.ts';
import { type SolverServices, solverObjects } from '../../solvers/http01/solver-service.ts';
import type { ControllerContext } from '../context.ts';

/** Solver Services go when their namespace has had no challenge for a while. Keys are namespaces. */
export function solverServiceController(
  context: ControllerContext,
  solverServices: SolverServices,
): ControllerSpec {
  const challengeCache = context.caches.cacheOf(challenges);
  return {
    name: 'solver-services',
    watch(enqueue) {
      const enqueueNamespace = (namespace: string | undefined): void =>
        enqueue({ namespace: '', name: namespace ?? '' });
      challengeCache.onChange(({ before, after }) => {
        if (after === undefined) enqueueNamespace(before?.metadata.namespace);
      });
      // Those that an earlier process left behind.
      context.caches.cacheOf(services, solverObjects).onChange(({ before, after }) => {
        if (before === undefined) enqueueNamespace(after?.metadata.namespace);
      });
    },
    reconcile({ name: namespace }) {
      const isLive = (challenge: Challenge): boolean => challenge.metadata.deletionTimestamp === undefined;
      return solverServices.sweep(namespace, () => challengeCache.list(namespace).some(isLive));
    },
  };
}
