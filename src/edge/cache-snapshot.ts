import type { EndpointSlice } from '../api/kubernetes/endpoint-slice.ts';
import { serviceNameLabel } from '../api/labels.ts';
import { keyText } from '../api/meta.ts';
import type { Cache } from '../kube/cache.ts';
import type { Snapshot } from './compile/snapshot.ts';
import type { EdgeCaches } from './options.ts';

/** The `namespace/name` of the Service that a slice belongs to. */
export function serviceOfSlice(slice: EndpointSlice): string | undefined {
  const name = slice.metadata.labels?.[serviceNameLabel];
  return name === undefined ? undefined : `${slice.metadata.namespace ?? ''}/${name}`;
}

/** The slices of a cache by their Service, kept up to date. A list that was given out is never changed. */
export class SlicesByService {
  readonly #slices = new Map<string, readonly EndpointSlice[]>();
  readonly stop: () => void;

  constructor(cache: Cache<EndpointSlice>) {
    this.stop = cache.onChange(({ before, after }) => {
      if (before !== undefined) this.#remove(before);
      if (after !== undefined) this.#add(after);
    });
  }

  /** `service` is `namespace/name`. */
  get(service: string): readonly EndpointSlice[] {
    return this.#slices.get(service) ?? [];
  }

  #add(slice: EndpointSlice): void {
    const service = serviceOfSlice(slice);
    if (service === undefined) return;
    // A cache tells of everything again from time to time.
    const others = this.get(service).filter(({ metadata }) => metadata.name !== slice.metadata.name);
    this.#slices.set(service, [...others, slice]);
  }

  #remove(slice: EndpointSlice): void {
    const service = serviceOfSlice(slice);
    if (service === undefined) return;
    const others = this.get(service).filter(({ metadata }) => metadata.name !== slice.metadata.name);
    if (others.length > 0) this.#slices.set(service, others);
    else this.#slices.delete(service);
  }
}

/** What the caches hold now. To be read at once: the caches go on. */
export function snapshotOf(caches: EdgeCaches, slices: SlicesByService): Snapshot {
  return {
    ingresses: caches.ingresses.list(),
    ingressClasses: caches.ingressClasses.list(),
    emissary: caches.emissary && {
      mappings: caches.emissary.mappings.list(),
      tlsContexts: caches.emissary.tlsContexts.list(),
      guards: [...caches.emissary.authServices.list(), ...caches.emissary.filterPolicies.list()],
    },
    service: key => caches.services.get(key),
    secret: key => caches.secrets.get(key),
    endpointSlices: service => slices.get(keyText(service)),
    endpoints: service => caches.endpoints?.get(service),
  };
}
