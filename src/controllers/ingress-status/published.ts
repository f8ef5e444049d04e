import type { IngressLoadBalancerIngress } from '../../api/kubernetes/ingress.ts';
import { type Service, services } from '../../api/kubernetes/service.ts';
import type { ObjectKey } from '../../api/meta.ts';
import type { Cache } from '../../kube/cache.ts';
import type { Caches } from '../../kube/caches.ts';
import { addressesOfService, givenAddresses } from './addresses.ts';

/** Where the edge is reached, as Ingresses are to say: given addresses, or those of a Service. */
export type PublishedAddress =
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  | { readonly kind: 'service'; readonly service: ObjectKey };

/** The addresses as they are now, and the cache that they come from, where they come from one. */
export interface Published {
  readonly serviceCache: Cache<Service> | undefined;
  addresses(): readonly IngressLoadBalancerIngress[];
}

/** Follows the one Service that is named, whatever namespace everything else is limited to. */
export function publishedOf(caches: Pick<Caches, 'cacheOf'>, published: PublishedAddress): Published {
  if (published.kind === 'addresses') {
    const addresses = givenAddresses(published.addresses);
    return { serviceCache: undefined, addresses: () => addresses };
  }
  const { service } = published;
  const fieldSelector = `metadata.name=${service.name}`;
  const serviceCache = caches.cacheOf(services, { namespace: service.namespace, fieldSelector });
  return { serviceCache, addresses: () => addressesOfService(serviceCache.get(service)) };
}
