import { challenges } from '../../src/api/acme/challenge.ts';
import { orders } from '../../src/api/acme/order.ts';
import { certificates } from '../../src/api/cert-manager/certificate.ts';
import { certificateRequests } from '../../src/api/cert-manager/certificate-request.ts';
import { clusterIssuers, issuers } from '../../src/api/cert-manager/issuer.ts';
import { pods } from '../../src/api/kubernetes/core.ts';
import { ingresses } from '../../src/api/kubernetes/ingress.ts';
import { secrets } from '../../src/api/kubernetes/secret.ts';
import { services } from '../../src/api/kubernetes/service.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import type { Resource } from '../../src/api/resource.ts';
import type { KubeApi } from '../../src/kube/port.ts';

const watched: readonly Resource<KubeObject>[] = [
  certificates,
  certificateRequests,
  orders,
  challenges,
  issuers,
  clusterIssuers,
  secrets,
  ingresses,
  services,
  pods,
];

/** All objects of a cluster that have to do with certificates, at one time. */
export interface Snapshot {
  /** By kind, and namespace and name. */
  readonly objects: ReadonlyMap<string, KubeObject>;
  find(kind: string, name: string): KubeObject | undefined;
  /** The objects of a kind that belong to a Certificate, by the annotation that is passed down. */
  of(kind: string, certificate: string): KubeObject[];
}

export async function takeSnapshot(api: KubeApi): Promise<Snapshot> {
  const objects = new Map<string, KubeObject>();
  for (const resource of watched) {
    for (const object of (await api.list(resource)).items) objects.set(idOf(object), object);
  }
  return {
    objects,
    find: (kind, name) => objects.get(`${kind} default/${name}`),
    of: (kind, certificate) =>
      [...objects.values()].filter(
        object =>
          object.kind === kind &&
          object.metadata.annotations?.['cert-manager.io/certificate-name'] === certificate,
      ),
  };
}

/** What was written between two snapshots: made, changed or deleted. */
export function changesBetween(before: Snapshot, after: Snapshot): string[] {
  const ids = new Set([...before.objects.keys(), ...after.objects.keys()]);
  return [...ids]
    .filter(id => {
      const [old, now] = [before.objects.get(id)?.metadata, after.objects.get(id)?.metadata];
      return old?.uid !== now?.uid || old?.resourceVersion !== now?.resourceVersion;
    })
    .toSorted();
}

export function idOf({ kind = '', metadata }: KubeObject): string {
  return `${kind} ${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}
