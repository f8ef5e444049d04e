import { clusterIssuers, type Issuer, issuers } from '../api/cert-manager/issuer.ts';
import { type IssuerRef, issuerRefOf } from '../api/cert-manager/issuer-ref.ts';
import type { Caches } from '../kube/caches.ts';

/** The Issuer or ClusterIssuer that an in-tree issuerRef in this namespace means, if it is there. */
export function lookUpIssuer(caches: Caches, ref: IssuerRef, namespace: string): Issuer | undefined {
  const { kind, name } = issuerRefOf(ref);
  return kind === 'ClusterIssuer'
    ? caches.cacheOf(clusterIssuers).get({ namespace: '', name })
    : caches.cacheOf(issuers).get({ namespace, name });
}
