import { type KubeObject, keyOf, keyText } from '../api/meta.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Cache } from '../kube/cache.ts';
import { serviceOfSlice, snapshotOf } from './cache-snapshot.ts';
import { type Compilation, compileTable } from './compile/compile.ts';
import type { CompileSettings } from './compile/settings.ts';
import type { EdgeCaches } from './options.ts';

/** Never more than this share of the time is spent on compiling: one part in five. */
const restFactor = 4;
const longestDelayMs = 500;

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
  #cancelCompile: (() => void) | undefined;
  #cancelExpiry: (() => void) | undefined;
  #last: Compilation | undefined;
  #lastDurationMs = 0;
  #lastEndedAtMs = 0;
  readonly #stopping = Promise.withResolvers<void>();
  #stopped = false;

  constructor(options: TableKeeperOptions) {
    this.#options = options;
  }

  /** Waits for the caches, compiles the first table, and follows the changes from then on. */
  async start(): Promise<void> {
    const { caches } = this.#options;
    const { ingresses, ingressClasses, services, endpointSlices, endpoints, secrets } = caches;
    const all = [ingresses, ingressClasses, services, endpointSlices, endpoints ?? services, secrets];
    await Promise.race([Promise.all(all.map(cache => cache.synced)), this.#stopping.promise]);
    if (this.#stopped) return;
    this.#compile();
    const always = (): boolean => true;
    const isService = (key: string | undefined): boolean =>
      key !== undefined && this.#last?.references.services.has(key) === true;
    const byName = (object: KubeObject): string => keyText(keyOf(object));
    this.#follow(caches.ingresses, always);
    this.#follow(caches.ingressClasses, always);
    this.#follow(caches.secrets, secret => this.#last?.references.secrets.has(byName(secret)) === true);
    this.#follow(caches.services, service => isService(byName(service)));
    this.#follow(caches.endpointSlices, slice => isService(serviceOfSlice(slice)));
    if (caches.endpoints !== undefined)
      this.#follow(caches.endpoints, endpoints => isService(byName(endpoints)));
  }

  stop(): void {
    this.#stopped = true;
    this.#stopping.resolve();
    for (const cancel of this.#cancellers) cancel();
    this.#cancelCompile?.();
    this.#cancelExpiry?.();
  }

  #follow<T extends KubeObject>(cache: Cache<T>, concerns: (object: T) => boolean): void {
    // A cache tells of what it holds already when it is asked, and of everything again from time to time.
    let following = false;
    const cancel = cache.onChange(({ before, after }) => {
      if (!following || before === after) return;
      if ((before !== undefined && concerns(before)) || (after !== undefined && concerns(after)))
        this.#schedule();
    });
    following = true;
    this.#cancellers.push(cancel);
  }

  #schedule(): void {
    if (this.#cancelCompile !== undefined || this.#stopped) return;
    const { clock, debounceMs } = this.#options;
    const restMs = Math.min(longestDelayMs, this.#lastDurationMs * restFactor);
    // Not less than nothing where the clock was set back.
    const restedMs = Math.max(0, clock.now() - this.#lastEndedAtMs);
    this.#cancelCompile = clock.after(Math.max(debounceMs, restMs - restedMs), () => {
      this.#cancelCompile = undefined;
      this.#compile();
    });
  }

  #compile(): void {
    const { caches, settings, clock, logger, publish } = this.#options;
    const startedMs = performance.now();
    try {
      const compilation = compileTable(snapshotOf(caches), settings, clock.now());
      this.#last = compilation;
      this.#lastDurationMs = performance.now() - startedMs;
      this.#lastEndedAtMs = clock.now();
      publish(compilation, this.#lastDurationMs);
    } catch (error) {
      // The table that is there goes on serving.
      logger.error('the routing table could not be compiled', { error: messageOf(error) });
    }
    this.#cancelExpiry?.();
    const expiry = this.#last?.nextExpiryMs;
    if (expiry !== undefined)
      this.#cancelExpiry = clock.after(Math.max(1_000, expiry - clock.now() + 1), () => this.#schedule());
  }
}
