import type { EndpointSlice } from '../../api/kubernetes/endpoint-slice.ts';
import type { Endpoints } from '../../api/kubernetes/endpoints.ts';
import { keyText } from '../../api/meta.ts';
import { isForbiddenAddress } from '../upstream/forbidden-address.ts';
import { serviceOfKey } from './backend-key.ts';
import { type BackendSpec, keyOfSpec, refusedEndpoint } from './backends.ts';
import { endpointsFor } from './endpoints.ts';
import { kept, withEntries } from './reuse.ts';
import type { CompileSettings } from './settings.ts';
import type { Changes, Snapshot } from './snapshot.ts';
import type { Backend } from './table.ts';

interface Stored {
  spec: BackendSpec;
  users: number;
  backend: Backend | undefined;
  slices: readonly EndpointSlice[];
  endpoints: Endpoints | undefined;
  /** An endpoint was left out for its address. */
  refusal: string | undefined;
}

/** The table's backends: those that something leads to, with the endpoints that are there now. */
export class BackendStore {
  readonly #settings: CompileSettings;
  readonly #stored = new Map<string, Stored>();
  readonly #byService = new Map<string, Set<Stored>>();
  readonly #outdated = new Set<string>();
  #table: ReadonlyMap<string, Backend> = new Map();
  /** Grows with each change of what `refusalOf` gives. */
  refusals = 0;

  constructor(settings: CompileSettings) {
    this.#settings = settings;
  }

  /** Something leads to this backend. Called once for each user; taken back by `release`. */
  acquire(spec: BackendSpec): void {
    const key = keyOfSpec(spec);
    const known = this.#stored.get(key);
    if (known === undefined) {
      const stored: Stored = {
        spec,
        users: 1,
        backend: undefined,
        slices: [],
        endpoints: undefined,
        refusal: undefined,
      };
      this.#stored.set(key, stored);
      this.#index(stored);
    } else {
      this.#unindex(known);
      known.users += 1;
      known.spec = spec;
      this.#index(known);
    }
    this.#outdated.add(key);
  }

  release(key: string): void {
    const known = this.#stored.get(key);
    if (known === undefined) return;
    known.users -= 1;
    if (known.users === 0) this.#outdated.add(key);
  }

  /** Follows the endpoints. Without `changes` all are looked at. */
  update(snapshot: Snapshot, changes: Changes | undefined): ReadonlyMap<string, Backend> {
    for (const service of changes?.services ?? this.#byService.keys()) {
      for (const stored of this.#byService.get(service) ?? []) {
        if (isStale(stored, snapshot)) this.#outdated.add(keyOfSpec(stored.spec));
      }
    }
    if (this.#outdated.size === 0) return this.#table;
    const updates: [string, Backend | undefined][] = [];
    for (const key of this.#outdated) {
      const stored = this.#stored.get(key);
      if (stored !== undefined && stored.users <= 0) {
        this.#unindex(stored);
        this.#stored.delete(key);
        updates.push([key, undefined]);
      } else if (stored !== undefined) {
        updates.push([key, this.#make(stored, snapshot)]);
      }
    }
    this.#outdated.clear();
    this.#table = withEntries(this.#table, updates);
    return this.#table;
  }

  /** Why an endpoint of this backend was left out, or undefined. */
  refusalOf(key: string): string | undefined {
    return this.#stored.get(key)?.refusal;
  }

  #make(stored: Stored, snapshot: Snapshot): Backend {
    const { spec } = stored;
    if (spec.kind === 'fixed') {
      if (stored.refusal !== undefined) this.refusals += 1;
      stored.refusal = undefined;
      stored.backend = kept(stored.backend, spec.backend);
      return stored.backend;
    }
    stored.slices = snapshot.endpointSlices(spec.service);
    stored.endpoints = snapshot.endpoints(spec.service);
    const { standalone } = this.#settings;
    const all = endpointsFor(stored.slices, stored.endpoints, spec.port);
    const refused = all.find(({ address }) => isForbiddenAddress(address, standalone));
    const refusal = refused && refusedEndpoint(serviceOfKey(spec.key), refused.address);
    if (refusal !== stored.refusal) this.refusals += 1;
    stored.refusal = refusal;
    const endpoints =
      refused === undefined ? all : all.filter(({ address }) => !isForbiddenAddress(address, standalone));
    const { key, protocol, tls } = spec;
    stored.backend = kept(stored.backend, { kind: 'endpoints', key, endpoints, protocol, tls });
    return stored.backend;
  }

  #index(stored: Stored): void {
    if (stored.spec.kind !== 'endpoints') return;
    const service = keyText(stored.spec.service);
    const known = this.#byService.get(service);
    if (known === undefined) this.#byService.set(service, new Set([stored]));
    else known.add(stored);
  }

  #unindex(stored: Stored): void {
    if (stored.spec.kind !== 'endpoints') return;
    const service = keyText(stored.spec.service);
    const known = this.#byService.get(service);
    known?.delete(stored);
    if (known?.size === 0) this.#byService.delete(service);
  }
}

function isStale({ spec, slices, endpoints }: Stored, snapshot: Snapshot): boolean {
  if (spec.kind !== 'endpoints') return false;
  const now = snapshot.endpointSlices(spec.service);
  return (
    now.length !== slices.length ||
    now.some((slice, index) => slice !== slices[index]) ||
    snapshot.endpoints(spec.service) !== endpoints
  );
}
