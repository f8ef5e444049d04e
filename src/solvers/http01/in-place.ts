import type { Challenge } from '../../api/acme/challenge.ts';
import { type Ingress, ingresses } from '../../api/kubernetes/ingress.ts';
import { keyText, type ObjectKey } from '../../api/meta.ts';
import { PosternError } from '../../core/errors.ts';
import type { Cache } from '../../kube/cache.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { KubeApi } from '../../kube/port.ts';
import { type ChallengeRoute, routeOf, withChallengePath, withoutChallengePath } from './challenge-path.ts';
import { createKeyedLock } from './keyed-lock.ts';

/** Conflicts are with other writers alone, as our own edits of one Ingress queue; so many in a row mean a fight. */
const mostConflicts = 20;

/** Puts challenge paths into Ingresses that exist, and takes them out again. */
export interface InPlaceIngresses {
  /** Throws SOLVER_INGRESS_NOT_FOUND where there is no such Ingress in the challenge's namespace. */
  ensurePath(challenge: Challenge, ingressName: string): Promise<void>;
  /** Leaves the Ingress as if the path had never been there; what others changed meanwhile stays. */
  removePath(challenge: Challenge, ingressName: string): Promise<void>;
}

export function createInPlaceIngresses(parts: {
  readonly api: KubeApi;
  readonly ingresses: Cache<Ingress>;
}): InPlaceIngresses {
  const { api, ingresses: cache } = parts;
  const lock = createKeyedLock();

  /** Applies `change` to the Ingress as it is now. The cache comes first, and the API whenever it may be behind. */
  async function edit(key: ObjectKey, change: (ingress: Ingress) => Ingress, doubt: boolean): Promise<void> {
    let ingress = cache.get(key);
    for (let conflicts = 0; ; conflicts += 1) {
      const cached = ingress !== undefined;
      ingress ??= await api.get(ingresses, key);
      const changed = change(ingress);
      if (changed !== ingress) {
        try {
          await api.update(ingresses, changed);
          return;
        } catch (error) {
          if (!isKubeError(error, 'KUBE_CONFLICT') || conflicts === mostConflicts) throw error;
        }
      } else if (!(cached && doubt && conflicts === 0)) {
        return;
      }
      ingress = undefined;
    }
  }

  return {
    ensurePath(challenge, ingressName) {
      const key = keyOfIngress(challenge, ingressName);
      const route = routeOf(challenge);
      return lock(keyText(key), async () => {
        try {
          await edit(key, ingress => withChallengePath(ingress, route), false);
        } catch (error) {
          throw isKubeError(error, 'KUBE_NOT_FOUND') ? notFound(key, error) : error;
        }
      });
    },
    removePath(challenge, ingressName) {
      const key = keyOfIngress(challenge, ingressName);
      const route = routeOrUndefined(challenge);
      if (route === undefined) return Promise.resolve();
      return lock(keyText(key), async () => {
        try {
          // A path that the cache does not show may have been put in a moment ago, by this process or the one before.
          await edit(key, ingress => withoutChallengePath(ingress, route), true);
        } catch (error) {
          if (!isKubeError(error, 'KUBE_NOT_FOUND')) throw error;
        }
      });
    },
  };
}

function keyOfIngress(challenge: Challenge, name: string): ObjectKey {
  return { namespace: challenge.metadata.namespace ?? '', name };
}

/** What could not be presented needs no clean-up. */
function routeOrUndefined(challenge: Challenge): ChallengeRoute | undefined {
  try {
    return routeOf(challenge);
  } catch {
    return undefined;
  }
}

function notFound(key: ObjectKey, cause: unknown): PosternError {
  return new PosternError(
    `the Ingress ${keyText(key)}, which the challenge is to be solved in, does not exist: create it, or change ` +
      "acme.cert-manager.io/http01-edit-in-place or the solver's http01.ingress.name",
    { code: 'SOLVER_INGRESS_NOT_FOUND', cause },
  );
}
