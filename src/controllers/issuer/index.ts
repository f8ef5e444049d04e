import { clusterIssuers, type Issuer, issuers } from '../../api/cert-manager/issuer.ts';
import { secrets } from '../../api/kubernetes/secret.ts';
import { keyOf } from '../../api/meta.ts';
import type { Resource } from '../../api/resource.ts';
import type { IssuerTypes } from '../../issuers/index.ts';
import type { ControllerSpec } from '../../runtime/controller.ts';
import type { ControllerContext } from '../context.ts';
import { reconcileIssuer } from './reconcile.ts';

/** How these controllers are set up. */
export interface IssuerControllerOptions {
  readonly issuerTypes: IssuerTypes;
  readonly clusterResourceNamespace: string;
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

const bySecret = 'secret';

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
  const namespaceOf = (issuer: Issuer): string =>
    issuer.metadata.namespace || options.clusterResourceNamespace;
  cache.addIndex(bySecret, issuer => secretNamesOf(issuer).map(secret => `${namespaceOf(issuer)}/${secret}`));
  return {
    name,
    watch(enqueue) {
      cache.onChange(({ after }) => {
        if (after) enqueue(keyOf(after));
      });
      secretCache.onChange(({ before, after }) => {
        const secret = (after ?? before)?.metadata;
        for (const issuer of cache.byIndex(bySecret, `${secret?.namespace ?? ''}/${secret?.name ?? ''}`))
          enqueue(keyOf(issuer));
      });
      options.onDoubt(issuer => {
        if ((issuer.metadata.namespace !== undefined) === resource.namespaced) enqueue(keyOf(issuer));
      });
    },
    reconcile: (key, signal) => reconcileIssuer(context, options.issuerTypes, resource, key, signal),
  };
}

/** The Secrets that an issuer rests on. */
function secretNamesOf({ spec }: Issuer): string[] {
  const names = [
    spec.ca?.secretName,
    spec.acme?.privateKeySecretRef?.name,
    spec.acme?.externalAccountBinding?.keySecretRef.name,
  ];
  return names.filter((name): name is string => name !== undefined && name !== '');
}
