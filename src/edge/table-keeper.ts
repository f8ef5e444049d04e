import { type KubeObject, keyOf, keyText } from '../api/meta.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Cache } from '../kube/cache.ts';
import { SlicesByService, serviceOfSlice, snapshotOf } from './cache-snapshot.ts';
import type { Compilation } from './compile/compile.ts';
import { prepareCertificates, sliceMs } from './compile/prepare-certificates.ts';
import type { CompileSettings } from './compile/settings.ts';
import { TableCompiler } from './compile/table-compiler.ts';
import type { EdgeCaches } from './options.ts';
import { TimeBudget } from './time-budget.ts';

/** Of the time, what is spent on compiling and handing tables on while changes do not end; single ones wait for nothing. */
const compileTime = { share: 0.1, mostMs: 500, longestWaitMs: 500 };
/** From so many changes on, certificates are read a few at a time before the compilation. */
const manyChanges = 100;

export interface TableKeeperOptions {
  readonly caches: EdgeCaches;
  readonly settings: CompileSettings;
  readonly debounceMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A new table is there. It is to be taken over in one assignment. */
  readonly publish: (compilation: Compilation, durationMs: number) => void;
}

/** Compiles the table when something it depends on has changed, soon, and not for each of many changes. */
export class TableKeeper {
  readonly #options: TableKeeperOptions;
  readonly #cancellers: (() => void)[] = [];
  readonly #slices: SlicesByService;
  readonly #budget: TimeBudget;
  #compiler: TableCompiler;
  /** What changed since the last compilation; undefined: anything may have. */
  #changes: { secrets: Set<string>; services: Set<string> } | undefined;
  #changeCount = 0;
  #preparing = false;
  #cancelCompile: (() => void) | undefined;
  #cancelExpiry: (() => void) | undefined;
  #last: Compilation | undefined;
  readonly #stopping = Promise.withResolvers<void>();
  #stopped = false;

  constructor(options: TableKeeperOptions) {
    this.#options = options;
    this.#compiler = new TableCompiler(options.settings);
    this.#slices = new SlicesByService(options.caches.endpointSlices);
    this.#budget = new TimeBudget(options.clock, compileTime);
    this.#cancellers.push(this.#slices.stop);
  }

  /** Waits for the caches, compiles the first table, and follows the changes from then on. */
  async start(): Promise<void> {
    const { caches } = this.#options;
    const { ingresses, ingressClasses, services, endpointSlices, endpoints, secrets } = caches;
    const { mappings, tlsContexts, authServices, filterPolicies } = caches.emissary ?? {};
    const emissary = [mappings, tlsContexts, authServices, filterPolicies].filter(
      cache => cache !== undefined,
    );
    const all = [
      ingresses,
      ingressClasses,
      services,
      endpointSlices,
      endpoints ?? services,
      secrets,
      ...emissary,
    ];
    await Promise.race([Promise.all(all.map(cache => cache.synced)), this.#stopping.promise]);
    if (this.#stopped) return;
    await this.#prepare();
    if (this.#stopped) return;
    this.#compile();
    const always = (): boolean => true;
    const noteService = (key: string | undefined): boolean => {
      if (key === undefined || this.#last?.references.services.has(key) !== true) return false;
      this.#changes?.services.add(key);
      return true;
    };
    const noteSecret = (secret: KubeObject): boolean => {
      const key = byName(secret);
      if (this.#last?.references.secrets.has(key) !== true) return false;
      this.#changes?.secrets.add(key);
      return true;
    };
    const byName = (object: KubeObject): string => keyText(keyOf(object));
    this.#follow(caches.ingresses, always);
    this.#follow(caches.ingressClasses, always);
    if (mappings !== undefined) this.#follow(mappings, always);
    if (tlsContexts !== undefined) this.#follow(tlsContexts, always);
    if (authServices !== undefined) this.#follow(authServices, always);
    if (filterPolicies !== undefined) this.#follow(filterPolicies, always);
    this.#follow(caches.secrets, noteSecret);
    this.#follow(caches.services, service => noteService(byName(service)));
    this.#follow(caches.endpointSlices, slice => noteService(serviceOfSlice(slice)));
    if (caches.endpoints !== undefined)
      this.#follow(caches.endpoints, endpoints => noteService(byName(endpoints)));
  }

  stop(): void {
    this.#stopped = true;
    this.#stopping.resolve();
    for (const cancel of this.#cancellers) cancel();
    this.#cancelCompile?.();
    this.#cancelExpiry?.();
  }

  /** `concerns` notes what an object means for the next table, and says whether it means anything. */
  #follow<T extends KubeObject>(cache: Pick<Cache<T>, 'onChange'>, concerns: (object: T) => boolean): void {
    // A cache tells of what it holds already when it is asked, and of everything again from time to time.
    let following = false;
    const cancel = cache.onChange(({ before, after }) => {
      if (!following || before === after) return;
      // Both: a slice can go from one Service to another.
      const concerned = [before, after].filter(object => object !== undefined && concerns(object)).length > 0;
      if (!concerned) return;
      this.#changeCount += 1;
      this.#schedule();
    });
    following = true;
    this.#cancellers.push(cancel);
  }

  #schedule(): void {
    if (this.#cancelCompile !== undefined || this.#preparing || this.#stopped) return;
    const { clock, debounceMs } = this.#options;
    this.#cancelCompile = clock.after(Math.max(debounceMs, this.#budget.waitMs()), () => {
      this.#cancelCompile = undefined;
      if (this.#changeCount < manyChanges) this.#compile();
      else void this.#prepare().then(() => this.#stopped || this.#compile());
    });
  }

  /** Never rejects: what cannot be read now is told by the compilation. */
  async #prepare(): Promise<void> {
    const { caches, settings } = this.#options;
    const pause = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
    this.#preparing = true;
    // What is read here may look up what no change was noted of.
    this.#changes = undefined;
    try {
      await prepareCertificates(snapshotOf(caches, this.#slices), settings, pause, () => !this.#stopped);
      while (!this.#compiler.advance(snapshotOf(caches, this.#slices), sliceMs) && !this.#stopped)
        await pause();
    } catch (error) {
      this.#options.logger.error('the next table could not be prepared', { error: messageOf(error) });
    }
    this.#preparing = false;
  }

  #compile(): void {
    const { caches, settings, clock, logger, publish } = this.#options;
    const startedMs = performance.now();
    const changes = this.#changes;
    this.#changes = undefined;
    this.#changeCount = 0;
    try {
      const compilation = this.#compiler.compile(snapshotOf(caches, this.#slices), clock.now(), changes);
      this.#changes = { secrets: new Set(), services: new Set() };
      this.#last = compilation;
      publish(compilation, performance.now() - startedMs);
      this.#budget.spend(performance.now() - startedMs);
    } catch (error) {
      // The table that is there goes on serving, and nothing that was remembered is trusted.
      this.#compiler = new TableCompiler(settings);
      logger.error('the routing table could not be compiled', { error: messageOf(error) });
    }
    this.#cancelExpiry?.();
    const expiry = this.#last?.nextExpiryMs;
    if (expiry !== undefined)
      this.#cancelExpiry = clock.after(Math.max(1_000, expiry - clock.now() + 1), () => this.#schedule());
  }
}
