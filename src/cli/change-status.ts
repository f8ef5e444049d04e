import type { KubeObject } from '../api/meta.ts';
import { keyOf } from '../api/meta.ts';
import type { Resource } from '../api/resource.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeApi } from '../kube/port.ts';

/** The controllers write the same status; who loses a race reads again. */
const mostTries = 8;

/** What a command makes of an object: it with another status, or nothing, and what is to be said. */
export type StatusDecision<T, Said> =
  | { readonly kind: 'write'; readonly object: T; readonly said: Said }
  | { readonly kind: 'leave'; readonly said: Said };

/**
 * Decides about `object`, and writes its status where the decision is to. Where somebody else has written
 * meanwhile, it is read and decided about again. Throws what the port throws.
 */
export async function changeStatus<T extends KubeObject, Said>(
  api: KubeApi,
  resource: Resource<T>,
  object: T,
  decide: (object: T) => StatusDecision<T, Said>,
): Promise<Said> {
  let current = object;
  for (let tries = 1; ; tries++) {
    const decision = decide(current);
    if (decision.kind === 'leave') return decision.said;
    try {
      await api.updateStatus(resource, decision.object);
      return decision.said;
    } catch (thrown) {
      if (!isKubeError(thrown, 'KUBE_CONFLICT') || tries >= mostTries) throw thrown;
      current = await api.get(resource, keyOf(object));
    }
  }
}
