import { clusterIssuers, type Issuer, issuers } from '../api/cert-manager/issuer.ts';
import { type IssuerRef, isInTreeIssuer, issuerRefOf } from '../api/cert-manager/issuer-ref.ts';
import { type KubeObject, keyOf, type ObjectKey } from '../api/meta.ts';
import type { Cache } from '../kube/cache.ts';
import type { Caches } from '../kube/caches.ts';

const byIssuer = 'issuer';

/** What is issued by an issuer. */
type Issued = KubeObject & { spec: { issuerRef: IssuerRef } };

/** Declares the index that `watchIssuers` looks objects up by; once, before the caches start. */
export function addIssuerIndex<T extends Issued>(cache: Cache<T>): void {
  cache.addIndex(byIssuer, object => {
    const { kind, name } = issuerRefOf(object.spec.issuerRef);
    if (!isInTreeIssuer(object.spec.issuerRef)) return [];
    return [`${kind === 'ClusterIssuer' ? '' : (object.metadata.namespace ?? '')}/${name}`];
  });
}

/** Brings back what waits for an issuer when that comes, or changes. `waits`: whether an object can be waiting at all. */
export function watchIssuers<T extends Issued>(
  caches: Caches,
  cache: Cache<T>,
  waits: (object: T) => boolean,
  enqueue: (key: ObjectKey) => void,
): void {
  const changed = ({ after }: { readonly after: Issuer | undefined }): void => {
    const { namespace = '', name = '' } = after?.metadata ?? {};
    for (const object of cache.byIndex(byIssuer, `${namespace}/${name}`))
      if (waits(object)) enqueue(keyOf(object));
  };
  caches.cacheOf(issuers).onChange(changed);
  caches.cacheOf(clusterIssuers).onChange(changed);
}
