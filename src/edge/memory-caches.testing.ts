import type { AuthService } from '../api/getambassador/auth-service.ts';
import type { Mapping } from '../api/getambassador/mapping.ts';
import type { TlsContext } from '../api/getambassador/tls-context.ts';
import type { EndpointSlice } from '../api/kubernetes/endpoint-slice.ts';
import type { Endpoints } from '../api/kubernetes/endpoints.ts';
import type { Ingress } from '../api/kubernetes/ingress.ts';
import type { IngressClass } from '../api/kubernetes/ingress-class.ts';
import type { Secret } from '../api/kubernetes/secret.ts';
import type { Service } from '../api/kubernetes/service.ts';
import type { KubeObject } from '../api/meta.ts';
import { silentLogger } from '../core/logger.ts';
import { createReflectorStore, type ReflectorStore } from '../kube/reflector-store.ts';
import type { EdgeCaches } from './options.ts';

/** The edge's caches, real ones, fed by a test in the place of reflectors. */
export interface MemoryCaches extends EdgeCaches {
  /** The first complete lists are in: to be called once. */
  sync(): void;
  /** Stores an object, new or changed. */
  apply(...objects: KubeObject[]): void;
  remove(object: KubeObject): void;
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}

export function memoryCaches(): MemoryCaches {
  const stores = {
    Ingress: createReflectorStore<Ingress>(silentLogger),
    IngressClass: createReflectorStore<IngressClass>(silentLogger),
    Service: createReflectorStore<Service>(silentLogger),
    EndpointSlice: createReflectorStore<EndpointSlice>(silentLogger),
    Endpoints: createReflectorStore<Endpoints>(silentLogger),
    Secret: createReflectorStore<Secret>(silentLogger),
    Mapping: createReflectorStore<Mapping>(silentLogger),
    TLSContext: createReflectorStore<TlsContext>(silentLogger),
    AuthService: createReflectorStore<AuthService>(silentLogger),
    FilterPolicy: createReflectorStore<AuthService>(silentLogger),
  };
  let version = 0;
  const storeOf = (object: KubeObject): ReflectorStore<KubeObject> => {
    const store = stores[object.kind as keyof typeof stores] as unknown as
      | ReflectorStore<KubeObject>
      | undefined;
    if (store === undefined) throw new Error(`no cache for kind ${object.kind ?? ''}`);
    return store;
  };
  const stored = (object: KubeObject): KubeObject => {
    version += 1;
    const copy = structuredClone(object);
    copy.metadata.resourceVersion = String(version);
    copy.metadata.uid ??= `uid-${object.kind}-${object.metadata.namespace ?? ''}-${object.metadata.name ?? ''}`;
    return deepFreeze(copy);
  };
  return {
    ingresses: stores.Ingress,
    ingressClasses: stores.IngressClass,
    services: stores.Service,
    endpointSlices: stores.EndpointSlice,
    endpoints: stores.Endpoints,
    secrets: stores.Secret,
    emissary: {
      mappings: stores.Mapping,
      tlsContexts: stores.TLSContext,
      authServices: stores.AuthService,
      filterPolicies: stores.FilterPolicy,
    },
    sync() {
      for (const store of Object.values(stores)) store.replace(store.list() as never, String(version));
    },
    apply(...objects) {
      for (const object of objects) storeOf(object).apply('MODIFIED', stored(object));
    },
    remove(object) {
      storeOf(object).apply('DELETED', stored(object));
    },
  };
}
