import { type AuthService, authServices, filterPolicies } from '../api/getambassador/auth-service.ts';
import { type Mapping, mappings } from '../api/getambassador/mapping.ts';
import { type TlsContext, tlsContexts } from '../api/getambassador/tls-context.ts';
import { type Ingress, ingresses } from '../api/kubernetes/ingress.ts';
import { type IngressClass, ingressClasses } from '../api/kubernetes/ingress-class.ts';
import { type Secret, secrets } from '../api/kubernetes/secret.ts';
import { type Service, type ServicePort, services } from '../api/kubernetes/service.ts';
import { type KubeObject, keyText } from '../api/meta.ts';
import { type Resource, resourceId } from '../api/resource.ts';
import type { Snapshot } from '../edge/compile/snapshot.ts';
import type { Declared } from './declared.ts';

/** The objects of the files as the compilation takes them, and what it asked for that is not there. */
export interface AssumedSnapshot {
  readonly snapshot: Snapshot;
  /** `Service shop/web`, sorted. */
  readonly assumed: () => string[];
}

/**
 * Files seldom hold everything. A Service that is not there is taken to exist with every port that somebody names, a Secret
 * to be what it should be: a Secret cannot be made up, so what is said of missing ones is to be left out.
 */
export function assumedSnapshot(objects: readonly Declared[]): AssumedSnapshot {
  const ofKind = <T extends KubeObject>(resource: Resource<T>): T[] =>
    objects
      .filter(declared => resourceId(declared.resource) === resourceId(resource))
      .map(({ object }) => object as T);
  const byKey = <T extends KubeObject>(all: readonly T[]): Map<string, T> =>
    new Map(all.map(one => [`${one.metadata.namespace ?? ''}/${one.metadata.name ?? ''}`, one]));
  const found: readonly Ingress[] = ofKind(ingresses);
  const knownServices = byKey<Service>(ofKind(services));
  const knownSecrets = byKey<Secret>(ofKind(secrets));
  const foundMappings: readonly Mapping[] = ofKind(mappings);
  const ports = portsNamedIn(found, foundMappings);
  const madeUp = new Map<string, Service>();
  const asked = new Set<string>();
  const snapshot: Snapshot = {
    ingresses: found,
    ingressClasses: ofKind<IngressClass>(ingressClasses),
    emissary: {
      mappings: foundMappings,
      tlsContexts: ofKind<TlsContext>(tlsContexts),
      guards: [...ofKind<AuthService>(authServices), ...ofKind<AuthService>(filterPolicies)],
    },
    secret(key) {
      const known = knownSecrets.get(keyText(key));
      if (known === undefined) asked.add(`Secret ${keyText(key)}`);
      return known;
    },
    service(key) {
      const known = knownServices.get(keyText(key));
      if (known !== undefined) return known;
      asked.add(`Service ${keyText(key)}`);
      const text = keyText(key);
      const made = madeUp.get(text) ?? serviceWith(key.namespace, key.name, ports.get(text) ?? new Set());
      madeUp.set(text, made);
      return made;
    },
    endpointSlices: () => [],
    endpoints: () => undefined,
  };
  return { snapshot, assumed: () => [...asked].sort() };
}

function serviceWith(namespace: string, name: string, named: ReadonlySet<string | number>): Service {
  const all = new Set<string | number>([80, 443, ...named]);
  const ports = [...all].map(
    (port, index): ServicePort =>
      typeof port === 'number' ? { name: `port-${port}`, port } : { name: port, port: 60_000 + index },
  );
  return { metadata: { namespace, name }, spec: { type: 'ClusterIP', ports } };
}

function portsNamedIn(
  all: readonly Ingress[],
  allMappings: readonly Mapping[],
): ReadonlyMap<string, ReadonlySet<string | number>> {
  const ports = new Map<string, Set<string | number>>();
  const note = (service: string, port: string | number | undefined): void => {
    if (port === undefined) return;
    const known = ports.get(service);
    if (known === undefined) ports.set(service, new Set([port]));
    else known.add(port);
  };
  for (const { metadata, spec } of all) {
    const backends = [
      spec?.defaultBackend,
      ...(spec?.rules ?? []).flatMap(rule => rule.http?.paths ?? []).map(path => path.backend),
    ];
    for (const backend of backends) {
      const service = backend?.service;
      if (service !== undefined)
        note(`${metadata.namespace ?? ''}/${service.name}`, service.port?.name ?? service.port?.number);
    }
  }
  for (const { metadata, spec } of allMappings) {
    const [, host = '', port] = /^(?:\w+:\/\/)?([^:/]+):(\d+)/.exec(String(spec?.service ?? '')) ?? [];
    const [name = '', namespace = metadata.namespace ?? ''] = host.toLowerCase().split('.');
    if (port !== undefined) note(`${namespace}/${name}`, Number(port));
  }
  return ports;
}
