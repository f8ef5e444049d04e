import { clusterIssuers, type Issuer, issuers } from '../api/cert-manager/issuer.ts';
import { keyText, type ObjectKey } from '../api/meta.ts';
import type { Resource } from '../api/resource.ts';
import type { ControllerContext } from './context.ts';

/** A Secret that an issuer names. */
export interface IssuerSecret {
  readonly issuer: Issuer;
  /** The field that names it. */
  readonly field: string;
  readonly secret: ObjectKey;
}

/** Which issuers rest on which Secrets. */
export interface IssuerSecrets {
  /** What Issuers and ClusterIssuers name a Secret for. */
  usesOf(secret: ObjectKey): readonly IssuerSecret[];
  /** The Issuers, or the ClusterIssuers, that name a Secret. */
  issuersOn(resource: Resource<Issuer>, secret: ObjectKey): readonly Issuer[];
  /** Calls `listener` with every Secret that an issuer names from now on, or names no more. */
  onChange(listener: (secret: ObjectKey) => void): void;
}

export const authorityField = 'spec.ca.secretName';

const bySecret = 'secret';
const kinds = [issuers, clusterIssuers];

/** `clusterResourceNamespace` is where the Secrets of ClusterIssuers are. To be made once, before the caches start. */
export function createIssuerSecrets(
  { caches }: ControllerContext,
  clusterResourceNamespace: string,
): IssuerSecrets {
  const namedBy = (issuer: Issuer | undefined): IssuerSecret[] => {
    if (issuer === undefined) return [];
    const namespace = issuer.metadata.namespace || clusterResourceNamespace;
    const { acme, ca } = issuer.spec;
    const named: [field: string, name: string | undefined][] = [
      [authorityField, ca?.secretName],
      ['spec.acme.privateKeySecretRef', acme?.privateKeySecretRef?.name],
      ['spec.acme.externalAccountBinding.keySecretRef', acme?.externalAccountBinding?.keySecretRef.name],
    ];
    return named.flatMap(([field, name]) => (name ? { issuer, field, secret: { namespace, name } } : []));
  };
  const namesOf = (issuer: Issuer | undefined): string[] =>
    namedBy(issuer).map(({ field, secret }) => `${field} ${keyText(secret)}`);
  for (const kind of kinds)
    caches.cacheOf(kind).addIndex(bySecret, issuer => namedBy(issuer).map(({ secret }) => keyText(secret)));
  const issuersOn: IssuerSecrets['issuersOn'] = (resource, secret) =>
    caches.cacheOf(resource).byIndex(bySecret, keyText(secret));
  return {
    issuersOn,
    usesOf: wanted =>
      kinds
        .flatMap(kind => issuersOn(kind, wanted))
        .flatMap(namedBy)
        .filter(({ secret }) => keyText(secret) === keyText(wanted)),
    onChange(listener) {
      for (const kind of kinds) {
        caches.cacheOf(kind).onChange(({ before, after }) => {
          // A status that was written says nothing new.
          if (namesOf(before).join() === namesOf(after).join()) return;
          for (const { secret } of [...namedBy(before), ...namedBy(after)]) listener(secret);
        });
      }
    },
  };
}
