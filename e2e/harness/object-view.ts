import { X509Certificate } from 'node:crypto';
import { type Challenge, challenges } from '../../src/api/acme/challenge.ts';
import { type Certificate, certificates } from '../../src/api/cert-manager/certificate.ts';
import { hasCondition } from '../../src/api/condition.ts';
import { type Event, events } from '../../src/api/kubernetes/event.ts';
import { type Ingress, ingresses } from '../../src/api/kubernetes/ingress.ts';
import { type Secret, secrets } from '../../src/api/kubernetes/secret.ts';
import { http01SolverLabel, nextPrivateKeyLabel } from '../../src/api/labels.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import type { Resource } from '../../src/api/resource.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import type { KubeApi } from '../../src/kube/port.ts';

/** What tests ask of the objects of one namespace, in a cluster or in a state folder. */
export interface ObjectView {
  find<T extends KubeObject>(resource: Resource<T>, name: string): Promise<T | undefined>;
  list<T extends KubeObject>(resource: Resource<T>): Promise<readonly T[]>;
  /** The Certificate, where it is Ready. */
  readyCertificate(name: string): Promise<Certificate | undefined>;
  /** The serial number of the certificate in a Secret, as `serialText` writes it. */
  serial(secretName: string): Promise<string | undefined>;
  /** The events with this reason on the object of this name. */
  eventsOn(name: string, reason: string): Promise<readonly Event[]>;
  /** What an issuance needs on its way and must not leave behind: challenges, solver Ingresses, next private keys. */
  leftovers(): Promise<readonly (Challenge | Ingress | Secret)[]>;
}

/** A view of `namespace` through any `KubeApi`. */
export function viewOf(api: KubeApi, namespace = 'default'): ObjectView {
  const list = async <T extends KubeObject>(resource: Resource<T>): Promise<readonly T[]> =>
    (await api.list(resource, { namespace })).items;
  const find = async <T extends KubeObject>(resource: Resource<T>, name: string): Promise<T | undefined> => {
    try {
      return await api.get(resource, { namespace, name });
    } catch (error) {
      if (isKubeError(error, 'KUBE_NOT_FOUND')) return undefined;
      throw error;
    }
  };
  return {
    find,
    list,
    async readyCertificate(name) {
      const certificate = await find(certificates, name);
      return hasCondition(certificate?.status?.conditions, 'Ready') ? certificate : undefined;
    },
    async serial(secretName) {
      const encoded = (await find(secrets, secretName))?.data?.['tls.crt'] ?? '';
      return encoded === ''
        ? undefined
        : serialText(new X509Certificate(Buffer.from(encoded, 'base64')).serialNumber);
    },
    eventsOn: async (name, reason) =>
      (await list(events)).filter(event => event.reason === reason && event.involvedObject.name === name),
    async leftovers() {
      const [challengesLeft, ingressesThere, secretsThere] = await Promise.all([
        list(challenges),
        list(ingresses),
        list(secrets),
      ]);
      return [
        ...challengesLeft,
        ...ingressesThere.filter(({ metadata }) => metadata.labels?.[http01SolverLabel] === 'true'),
        ...secretsThere.filter(({ metadata }) => metadata.labels?.[nextPrivateKeyLabel] === 'true'),
      ];
    },
  };
}

/**
 * Follows a resource from now on: resolves to the function that waits for the first object, made or changed since (or, with
 * `isGone`, deleted), that `matches`. A watch, so that it is known within milliseconds.
 */
export async function watchFor<T extends KubeObject>(
  api: KubeApi,
  resource: Resource<T>,
  matches: (object: T) => boolean,
  { isGone = false, timeoutMs = 60_000 } = {},
): Promise<() => Promise<T>> {
  const { resourceVersion } = await api.list(resource, { namespace: 'default', limit: 1 });
  const follow = async (): Promise<T> => {
    const signal = AbortSignal.timeout(timeoutMs);
    const watch = { namespace: 'default', resourceVersion, timeoutSeconds: 60, signal };
    for await (const event of api.watch(resource, watch)) {
      if (event.type === 'BOOKMARK' || (event.type === 'DELETED') !== isGone) continue;
      if (matches(event.object)) return event.object;
    }
    throw new Error(`the watch of ${resource.plural} has ended`);
  };
  const found = follow();
  found.catch(() => {}); // until it is asked for
  return () => found;
}

/** A serial number in hexadecimal as all tests compare it: in small letters, without zeros in front. */
export function serialText(hexadecimal: string): string {
  return hexadecimal.toLowerCase().replace(/^0+/, '');
}
