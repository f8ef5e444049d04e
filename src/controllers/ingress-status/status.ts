import type { Ingress, IngressLoadBalancerIngress, IngressStatus } from '../../api/kubernetes/ingress.ts';

/** The status with these addresses, or undefined where it has them already. Addresses are compared without ports. */
export function statusWith(
  ingress: Ingress,
  addresses: readonly IngressLoadBalancerIngress[],
): IngressStatus | undefined {
  const present = ingress.status?.loadBalancer?.ingress ?? [];
  const texts = present.map(textOf).sort();
  const wanted = addresses.map(textOf).sort();
  if (texts.length === wanted.length && texts.every((text, index) => text === wanted[index]))
    return undefined;
  return {
    ...ingress.status,
    loadBalancer: addresses.length === 0 ? {} : { ingress: addresses.map(address => ({ ...address })) },
  };
}

function textOf({ ip, hostname }: IngressLoadBalancerIngress): string {
  return `${ip ?? ''} ${hostname ?? ''}`;
}
