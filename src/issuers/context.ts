import type { Issuer } from '../api/cert-manager/issuer.ts';
import { type Secret, secrets } from '../api/kubernetes/secret.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { Caches } from '../kube/caches.ts';
import type { KubeApi } from '../kube/port.ts';

/** What every issuer works with. */
export interface IssuerContext {
  readonly api: KubeApi;
  readonly caches: Caches;
  readonly clock: Clock;
  readonly logger: Logger;
  /** --cluster-resource-namespace: where the Secrets of ClusterIssuers are. */
  readonly clusterResourceNamespace: string;
}

/** The namespace in which an issuer's Secrets are. */
export function secretNamespaceOf(context: IssuerContext, issuer: Issuer): string {
  return issuer.metadata.namespace || context.clusterResourceNamespace;
}

/** A Secret that an issuer names, or undefined where it does not exist. */
export function secretOfIssuer(context: IssuerContext, issuer: Issuer, name: string): Secret | undefined {
  const namespace = secretNamespaceOf(context, issuer);
  return context.caches.cacheIn(secrets, namespace).get({ namespace, name });
}
