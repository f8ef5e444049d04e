import { clusterIssuers, type Issuer, issuers } from '../../api/cert-manager/issuer.ts';
import { secrets } from '../../api/kubernetes/secret.ts';
import { keyOf } from '../../api/meta.ts';
import type { Resource } from '../../api/resource.ts';
import type { IssuerTypes } from '../../issuers/index.ts';
import type { ControllerSpec } from '../../runtime/controller.ts';
import type { ControllerContext } from '../context.ts';
import type { IssuerSecrets } from '../issuer-secrets.ts';
import { reconcileIssuer } from './reconcile.ts';

/** How these controllers are set up. */
export interface IssuerControllerOptions {
  readonly issuerTypes: IssuerTypes;
  readonly clusterResourceNamespace: string;
  readonly issuerSecrets: IssuerSecrets;
  /** Told of each issuer whose account its server does not know any more. */
  readonly onDoubt: (listener: (issuer: Issuer) => void) => void;
}

/** Issuers get ready to sign. */
export function issuerController(
  context: ControllerContext,
  options: IssuerControllerOptions,
): ControllerSpec {
  return controllerFor(context, options, 'issuers', issuers);
}

/** ClusterIssuers get ready to sign. */
export function clusterIssuerController(
  context: ControllerContext,
  options: IssuerControllerOptions,
): ControllerSpec {
  return controllerFor(context, options, 'clusterissuers', clusterIssuers);
}

function controllerFor(
  context: ControllerContext,
  options: IssuerControllerOptions,
  name: string,
  resource: Resource<Issuer>,
): ControllerSpec {
  const cache = context.caches.cacheOf(resource);
  const secretCache = resource.namespaced
    ? context.caches.cacheOf(secrets)
    : context.caches.cacheIn(secrets, options.clusterResourceNamespace);
  return {
    name,
    watch(enqueue) {
      cache.onChange(({ after }) => {
        if (after) enqueue(keyOf(after));
      });
      secretCache.onChange(({ before, after }) => {
        const secret = after ?? before;
        if (secret === undefined) return;
        for (const issuer of options.issuerSecrets.issuersOn(resource, keyOf(secret))) enqueue(keyOf(issuer));
      });
      options.onDoubt(issuer => {
        if ((issuer.metadata.namespace !== undefined) === resource.namespaced) enqueue(keyOf(issuer));
      });
    },
    reconcile: (key, signal) => reconcileIssuer(context, options.issuerTypes, resource, key, signal),
  };
}
