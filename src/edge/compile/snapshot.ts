import type { AuthService } from '../../api/getambassador/auth-service.ts';
import type { Mapping } from '../../api/getambassador/mapping.ts';
import type { TlsContext } from '../../api/getambassador/tls-context.ts';
import type { EndpointSlice } from '../../api/kubernetes/endpoint-slice.ts';
import type { Endpoints } from '../../api/kubernetes/endpoints.ts';
import type { Ingress } from '../../api/kubernetes/ingress.ts';
import type { IngressClass } from '../../api/kubernetes/ingress-class.ts';
import type { Secret } from '../../api/kubernetes/secret.ts';
import type { Service } from '../../api/kubernetes/service.ts';
import type { ObjectKey } from '../../api/meta.ts';

export interface EmissaryObjects {
  readonly mappings: readonly Mapping[];
  readonly tlsContexts: readonly TlsContext[];
  /** AuthServices and FilterPolicies. */
  readonly guards: readonly AuthService[];
}

/** The objects a table is compiled from. What is looked up twice must be the same both times. */
export interface Snapshot {
  readonly ingresses: readonly Ingress[];
  readonly ingressClasses: readonly IngressClass[];
  /** Emissary's kinds, where they are watched. */
  readonly emissary?: EmissaryObjects | undefined;
  service(key: ObjectKey): Service | undefined;
  secret(key: ObjectKey): Secret | undefined;
  /** The slices that carry the Service's name as their label, of either API version. */
  endpointSlices(service: ObjectKey): readonly EndpointSlice[];
  endpoints(service: ObjectKey): Endpoints | undefined;
}

/** What a table depends on beside Ingresses and their classes: Secrets and Services, whether they exist or not. */
export interface References {
  readonly secrets: ReadonlySet<string>;
  /** Services, and with them their slices and Endpoints. */
  readonly services: ReadonlySet<string>;
}

/** Which objects are others than in the compilation before, by `namespace/name`. Naming too many does no harm. */
export interface Changes {
  readonly secrets: ReadonlySet<string>;
  /** Services whose own object, slices or Endpoints changed. */
  readonly services: ReadonlySet<string>;
}

const joined = new WeakMap<References, readonly [References, References]>();

/** Both, and the very object that was made the last time where both are the same. One that is empty is left out. */
export function joinedReferences(before: References, a: References, b: References): References {
  if (b.secrets.size + b.services.size === 0) return a;
  const parts = joined.get(before);
  if (parts?.[0] === a && parts[1] === b) return before;
  const both: References = {
    secrets: new Set([...a.secrets, ...b.secrets]),
    services: new Set([...a.services, ...b.services]),
  };
  joined.set(both, [a, b]);
  return both;
}
