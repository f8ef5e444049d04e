import { type EndpointSlice, endpointSlices } from '../../api/kubernetes/endpoint-slice.ts';
import { type Endpoints, endpoints } from '../../api/kubernetes/endpoints.ts';
import { type Service, services } from '../../api/kubernetes/service.ts';
import { http01SolverLabel } from '../../api/labels.ts';
import { type KubeObject, keyOf, keyText, type ObjectKey } from '../../api/meta.ts';
import { type Resource } from '../../api/resource.ts';
import type { Clock } from '../../core/clock.ts';
import { PosternError } from '../../core/errors.ts';
import type { Cache } from '../../kube/cache.ts';
import type { CacheOptions } from '../../kube/caches.ts';
import { deleteIfThere } from '../../kube/delete-if-there.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { KubeApi } from '../../kube/port.ts';
import { createKeyedLock } from './keyed-lock.ts';
import { solverServiceName } from './solver-names.ts';
import {
  checkSolverAddress,
  isSolverObject,
  mendedEndpoints,
  mendedService,
  type SolverAddress,
  solverEndpointsFor,
  solverServiceIn,
  solverSliceFor,
} from './solver-service-objects.ts';

/** Where caches come from: `Caches` of kube/caches.ts. */
export interface CacheSource {
  cacheOf<T extends KubeObject>(resource: Resource<T>, options?: CacheOptions<T>): Cache<T>;
}

/**
 * The Services that lead to the solver listener, one in each namespace that has challenges, shared by all of them.
 * Behind each is an EndpointSlice with this process's address; on servers without `discovery.k8s.io/v1` (1.20) an
 * Endpoints object of the same name.
 */
export interface SolverServices {
  /**
   * Makes or mends what is not right; no call to the API where all is. `nodePort` for Ingress controllers that
   * reach Services through the nodes. Throws SOLVER_SERVICE_TAKEN where the name is another object's.
   */
  ensure(namespace: string, options?: { readonly nodePort?: boolean | undefined }): Promise<void>;
  /**
   * Deletes the namespace's Service once there has been no live challenge for `idleForMs`. To be called when a
   * challenge is gone, and again after `requeueAfterMs` where that is given. `hasLiveChallenges` is asked when no
   * `ensure` of the namespace is under way.
   */
  sweep(namespace: string, hasLiveChallenges: () => boolean): Promise<{ readonly requeueAfterMs?: number }>;
  /** The namespaces that have a solver Service, as far as the cache knows. */
  namespaces(): readonly string[];
}

export interface SolverServicesOptions {
  readonly api: KubeApi;
  readonly caches: CacheSource;
  readonly clock: Clock;
  /** Where this process's solver listener is reached. */
  readonly solver: SolverAddress;
  /** Ten minutes by default. */
  readonly idleForMs?: number | undefined;
}

const tenMinutesMs = 10 * 60_000;
/** Selects what solvers make. All that is ours carries the label, and no other object of a cluster need be held for it. */
export const solverObjects = { labelSelector: `${http01SolverLabel}=true` };

export function createSolverServices(options: SolverServicesOptions): SolverServices {
  const { api, caches, clock, solver, idleForMs = tenMinutesMs } = options;
  checkSolverAddress(solver);
  const serviceCache = caches.cacheOf(services, solverObjects);
  const idleSince = new Map<string, number>();
  const lock = createKeyedLock();
  let slicesServed: boolean | undefined;

  async function servesSlices(): Promise<boolean> {
    slicesServed ??= await api.serves(endpointSlices);
    return slicesServed;
  }

  /** Makes an object, or mends the one that is there. */
  async function put<T extends KubeObject>(
    resource: Resource<T>,
    cache: Cache<T>,
    wanted: T,
    mended: (found: T) => T,
  ): Promise<T> {
    const key = keyOf(wanted);
    let found = cache.get(key);
    for (let tries = 0; ; tries += 1) {
      try {
        if (found === undefined) return await api.create(resource, wanted);
        if (!isSolverObject(found)) throw taken(resource, key);
        const next = mended(found);
        return next === found ? found : await api.update(resource, next);
      } catch (error) {
        if (!isKubeError(error, 'KUBE_ALREADY_EXISTS', 'KUBE_CONFLICT', 'KUBE_NOT_FOUND') || tries === 3)
          throw error;
        found = await find(resource, key);
      }
    }
  }

  async function find<T extends KubeObject>(resource: Resource<T>, key: ObjectKey): Promise<T | undefined> {
    try {
      return await api.get(resource, key);
    } catch (error) {
      if (isKubeError(error, 'KUBE_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  async function ensureNow(namespace: string, nodePort: boolean): Promise<void> {
    idleSince.delete(namespace);
    const wanted = solverServiceIn(namespace, nodePort);
    const service = await put<Service>(services, serviceCache, wanted, found => mendedService(found, wanted));
    if (await servesSlices()) {
      const slice = solverSliceFor(service, solver);
      const cache = caches.cacheOf(endpointSlices, solverObjects);
      await put<EndpointSlice>(endpointSlices, cache, slice, found => mendedEndpoints(found, slice));
    } else {
      const addresses = solverEndpointsFor(service, solver);
      const cache = caches.cacheOf(endpoints, solverObjects);
      await put<Endpoints>(endpoints, cache, addresses, found => mendedEndpoints(found, addresses));
    }
  }

  async function remove(service: Service): Promise<void> {
    const key = keyOf(service);
    await deleteIfThere(api, services, service);
    // The garbage collector would take it too, some time; a Service that is made again meanwhile must not get it.
    const behind = (await servesSlices()) ? endpointSlices : endpoints;
    try {
      await api.delete<KubeObject>(behind, key);
    } catch (error) {
      if (!isKubeError(error, 'KUBE_NOT_FOUND')) throw error;
    }
  }

  return {
    ensure: (namespace, { nodePort = false } = {}) => lock(namespace, () => ensureNow(namespace, nodePort)),
    sweep(namespace, hasLiveChallenges) {
      return lock(namespace, async () => {
        const service = serviceCache.get({ namespace, name: solverServiceName });
        if (service === undefined || !isSolverObject(service) || hasLiveChallenges()) {
          idleSince.delete(namespace);
          return {};
        }
        const since = idleSince.get(namespace) ?? clock.now();
        idleSince.set(namespace, since);
        // A clock that was set back starts the wait again.
        const idleMs = Math.max(0, clock.now() - since);
        if (idleMs < idleForMs) return { requeueAfterMs: idleForMs - idleMs };
        await remove(service);
        idleSince.delete(namespace);
        return {};
      });
    },
    namespaces: () =>
      serviceCache
        .list()
        .filter(service => service.metadata.name === solverServiceName && isSolverObject(service))
        .map(service => service.metadata.namespace ?? ''),
  };
}

function taken(resource: Resource<KubeObject>, key: ObjectKey): PosternError {
  return new PosternError(
    `the ${resource.kind} ${keyText(key)} has the name that the solver needs but was not made by Postern: delete or rename it`,
    { code: 'SOLVER_SERVICE_TAKEN' },
  );
}
