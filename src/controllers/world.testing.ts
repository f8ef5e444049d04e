import { onTestFinished } from 'vitest';
import { events } from '../api/kubernetes/event.ts';
import { ingresses } from '../api/kubernetes/ingress.ts';
import type { KubeObject, ObjectKey } from '../api/meta.ts';
import type { Resource } from '../api/resource.ts';
import { type ManualClock, manualClock } from '../core/clock.testing.ts';
import { silentLogger } from '../core/logger.ts';
import { createAcmeAccounts } from '../issuers/acme/accounts.ts';
import { createRenewalWindows } from '../issuers/acme/renewal-windows.ts';
import { createIssuerTypes } from '../issuers/index.ts';
import { createCaches } from '../kube/caches.ts';
import type { EmbeddedApi } from '../kube/embedded/open.ts';
import { anEmbeddedApi } from '../kube/embedded/store.testing.ts';
import { isKubeError } from '../kube/errors.ts';
import { createEventRecorder } from '../kube/events.ts';
import { createController } from '../runtime/controller.ts';
import { createHttp01Solver } from '../solvers/http01/http01-solver.ts';
import { createInPlaceIngresses } from '../solvers/http01/in-place.ts';
import { createNameChecks } from '../solvers/http01/name-checks.ts';
import type { Probe } from '../solvers/http01/probe.ts';
import type { HostResolver } from '../solvers/http01/resolve-host.ts';
import { createResponder, type Responder } from '../solvers/http01/responder.ts';
import { createSelfChecks } from '../solvers/http01/self-check.ts';
import { createSolverServices } from '../solvers/http01/solver-service.ts';
import { createTemporaryIngresses } from '../solvers/http01/temporary-ingress.ts';
import { type Fate, faultyApi, type Write } from './faults.testing.ts';
import { allControllers, type ControllersOptions } from './index.ts';

/** What outlives a process: the stored objects, and time. */
export interface Ground {
  readonly clock: ManualClock;
  /** Reads and writes as another program would. */
  readonly store: EmbeddedApi;
  /** Every write of every process on this ground, events left out. */
  readonly writes: Write[];
  get<T extends KubeObject>(resource: Resource<T>, name: string): Promise<T | undefined>;
  all<T extends KubeObject>(resource: Resource<T>): Promise<readonly T[]>;
  /** The messages of the events about an object of this kind and name, with their reasons in front, sorted. */
  eventsOf(kind: string, name: string): Promise<string[]>;
}

/** A process with all controllers. */
export interface World {
  readonly responder: Responder;
  /** Whether a write was its death. */
  isDead(): boolean;
  /**
   * Works, and lets time pass whenever there is nothing to do, until `look` gives something; gives that. Fails after
   * `withinMs` of the test's time (ten minutes by default).
   */
  until<T>(
    what: string,
    look: () => Promise<T | undefined | false>,
    options?: { readonly withinMs?: number },
  ): Promise<T>;
  /** Works until there is nothing to do; time stands still. */
  settle(): Promise<void>;
  /** Lets time pass, at once. */
  sleep(ms: number): Promise<void>;
  /** Ends the process. Nothing of what it held in memory is left. */
  stop(): Promise<void>;
}

export const namespace = 'default';

/** An empty store, and a clock that stands still. */
export function aGround(): Ground {
  const clock = manualClock();
  const store = anEmbeddedApi({ clock });
  const keyOf = (name: string, resource: Resource<KubeObject>): ObjectKey => ({
    namespace: resource.namespaced ? namespace : '',
    name,
  });
  return {
    clock,
    store,
    writes: [],
    async get(resource, name) {
      try {
        return await store.get(resource, keyOf(name, resource));
      } catch (error) {
        if (isKubeError(error, 'KUBE_NOT_FOUND')) return undefined;
        throw error;
      }
    },
    all: async resource => (await store.list(resource)).items,
    async eventsOf(kind, name) {
      const { items } = await store.list(events);
      return items
        .filter(({ involvedObject }) => involvedObject.kind === kind && involvedObject.name === name)
        .map(({ reason, message }) => `${reason}: ${message}`)
        .toSorted();
    },
  };
}

export interface WorldOptions {
  readonly fateOf?: (before: number) => Fate;
  /** Why a write (`create Secret`, `update Certificate status`) is forbidden, if it is. */
  readonly refusalOf?: (what: string) => string | undefined;
  readonly controllers?: Partial<ControllersOptions>;
  /** --namespace; all of them where absent. */
  readonly limitedTo?: string;
  /** How a self-check comes out; by default it finds what the responder answers. */
  readonly probe?: Probe;
  /** What the DNS says of a name before it is ordered; by default each has an address. */
  readonly resolve?: HostResolver;
}

/** How much time passes at a time while there is nothing to do. */
const stepMs = 50;
/** So many turns of the event loop without work mean that there is none: changes are told within a few. */
const idleTurns = 6;

/** Starts a process on the ground. */
export async function aWorld(ground: Ground, options: WorldOptions = {}): Promise<World> {
  const { clock, store, writes } = ground;
  const api = faultyApi(store, writes, options.fateOf ?? (() => 'done'), options.refusalOf);
  const caches = createCaches({
    api,
    clock,
    logger: silentLogger,
    namespace: options.limitedTo,
    random: () => 0.5,
  });
  const recorder = createEventRecorder({ api, clock, logger: silentLogger });
  const context = { api: caches.writer, caches, events: recorder, clock, logger: silentLogger };
  const issuerContext = { ...context, clusterResourceNamespace: 'system' };
  const accounts = createAcmeAccounts(issuerContext, { userAgent: 'test' });
  const renewalWindows = createRenewalWindows(issuerContext, accounts);
  const responder = createResponder();
  const probe: Probe = async target =>
    responder.answer(target.host, target.token) === target.keyAuthorization
      ? { found: true }
      : { found: false, kind: 'status', at: '192.0.2.1:80', status: 404 };
  const selfChecks = createSelfChecks({ probe: options.probe ?? probe, port: 80, clock });
  const nameChecks = createNameChecks({
    resolve: options.resolve ?? (async () => ({ addresses: ['192.0.2.1'] })),
    clock,
  });
  const solverServices = createSolverServices({
    api: caches.writer,
    caches,
    clock,
    solver: { address: '192.0.2.9', port: 8089 },
  });
  const parts = { api: caches.writer, ingresses: caches.cacheOf(ingresses) };
  const solver = createHttp01Solver({
    responder,
    services: solverServices,
    temporary: createTemporaryIngresses(parts),
    inPlace: createInPlaceIngresses(parts),
    selfChecks,
    needsNodePort: () => false,
  });
  const specs = allControllers(context, {
    shim: {
      issuer: { name: '', kind: 'Issuer', group: 'cert-manager.io' },
      autoCertificateAnnotations: ['kubernetes.io/tls-acme'],
      extraCertificateAnnotations: [],
    },
    issuerTypes: createIssuerTypes(issuerContext, accounts),
    accounts,
    renewalWindows,
    solver,
    selfChecks,
    nameChecks,
    solverServices,
    clusterResourceNamespace: 'system',
    ownerRefOnSecrets: false,
    maxConcurrentChallenges: 60,
    approves: true,
    ...options.controllers,
  });
  const controllers = specs.map(spec =>
    createController(spec, { clock, logger: silentLogger, random: () => 1 }),
  );
  const abort = new AbortController();
  for (const controller of controllers) controller.watch();
  caches.start(abort.signal);
  await caches.synced;
  const working = Promise.all(controllers.map(controller => controller.work(abort.signal)));

  const isBusy = (): boolean =>
    controllers.some(controller => {
      const { depth, inWork } = controller.queue();
      return depth + inWork > 0;
    });
  const turn = (): Promise<void> => new Promise(resolve => void setImmediate(resolve));
  async function settle(): Promise<void> {
    for (let idle = 0; idle < idleTurns; idle = isBusy() ? 0 : idle + 1) await turn();
    if (!api.isDead()) await recorder.flush();
  }

  let stopped: Promise<void> | undefined;
  function stop(): Promise<void> {
    stopped ??= (async () => {
      abort.abort();
      selfChecks.stop();
      nameChecks.stop();
      renewalWindows.stop();
      accounts.close();
      await working;
      for (const controller of controllers) await controller.shutDown();
    })();
    return stopped;
  }
  onTestFinished(stop);

  return {
    responder,
    isDead: () => api.isDead(),
    settle,
    async until(what, look, { withinMs = 600_000 } = {}) {
      const deadlineMs = clock.now() + withinMs;
      for (;;) {
        await settle();
        const found = await look();
        if (found !== undefined && found !== false) return found;
        if (clock.now() > deadlineMs) throw new Error(`Not within ${withinMs / 1_000} s: ${what}`);
        clock.advance(stepMs);
      }
    },
    async sleep(ms) {
      clock.advance(ms);
      await settle();
    },
    stop,
  };
}
