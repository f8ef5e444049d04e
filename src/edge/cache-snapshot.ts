import type { EndpointSlice } from '../api/kubernetes/endpoint-slice.ts';
import { serviceNameLabel } from '../api/labels.ts';
import { keyText } from '../api/meta.ts';
import type { Snapshot } from './compile/snapshot.ts';
import type { EdgeCaches } from './options.ts';

/** The `namespace/name` of the Service that a slice belongs to. */
export function serviceOfSlice(slice: EndpointSlice): string | undefined {
  const name = slice.metadata.labels?.[serviceNameLabel];
  return name === undefined ? undefined : `${slice.metadata.namespace ?? ''}/${name}`;
}

/** What the caches hold now. To be read at once: the caches go on. */
export function snapshotOf(caches: EdgeCaches): Snapshot {
  const slices = new Map<string, EndpointSlice[]>();
  for (const slice of caches.endpointSlices.list()) {
    const service = serviceOfSlice(slice);
    if (service === undefined) continue;
    const known = slices.get(service);
    if (known === undefined) slices.set(service, [slice]);
    else known.push(slice);
  }
  return {
    ingresses: caches.ingresses.list(),
    ingressClasses: caches.ingressClasses.list(),
    service: key => caches.services.get(key),
    secret: key => caches.secrets.get(key),
    endpointSlices: service => slices.get(keyText(service)) ?? [],
    endpoints: service => caches.endpoints?.get(service),
  };
}
