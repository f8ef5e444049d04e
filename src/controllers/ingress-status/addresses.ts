import { isIP } from 'node:net';
import type { IngressLoadBalancerIngress } from '../../api/kubernetes/ingress.ts';
import type { Service } from '../../api/kubernetes/service.ts';

/** Addresses given by hand: IP addresses and host names. */
export function givenAddresses(addresses: readonly string[]): IngressLoadBalancerIngress[] {
  return distinct(addresses.map(address => (isIP(address) === 0 ? { hostname: address } : { ip: address })));
}

/**
 * Where a Service is reached from outside: what its load balancer says, and its external addresses; without a load balancer
 * its cluster address; for ExternalName the name. None while the load balancer has not said anything yet.
 */
export function addressesOfService(service: Service | undefined): IngressLoadBalancerIngress[] {
  const { type = 'ClusterIP', externalName, externalIPs = [], clusterIP } = service?.spec ?? {};
  if (service === undefined) return [];
  if (type === 'ExternalName') return externalName ? [{ hostname: externalName.replace(/\.$/, '') }] : [];
  const balanced = (service.status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ({
    ...(ip ? { ip } : {}),
    ...(hostname ? { hostname } : {}),
  }));
  const external = externalIPs.map(ip => ({ ip }));
  const own = type !== 'LoadBalancer' && clusterIP && clusterIP !== 'None' ? [{ ip: clusterIP }] : [];
  return distinct([...balanced, ...external, ...own]);
}

/** Sorted, so that the same addresses are the same status in whatever order they came. */
function distinct(addresses: readonly IngressLoadBalancerIngress[]): IngressLoadBalancerIngress[] {
  const byText = new Map(
    addresses
      .filter(({ ip, hostname }) => ip !== undefined || hostname !== undefined)
      .map(address => [`${address.ip ?? ''} ${address.hostname ?? ''}`, address]),
  );
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, address]) => address);
}
