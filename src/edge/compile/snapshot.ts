import type { EndpointSlice } from '../../api/kubernetes/endpoint-slice.ts';
import type { Endpoints } from '../../api/kubernetes/endpoints.ts';
import type { Ingress } from '../../api/kubernetes/ingress.ts';
import type { IngressClass } from '../../api/kubernetes/ingress-class.ts';
import type { Secret } from '../../api/kubernetes/secret.ts';
import type { Service } from '../../api/kubernetes/service.ts';
import { keyText, type ObjectKey } from '../../api/meta.ts';

/** The objects a table is compiled from. What is looked up twice must be the same both times. */
export interface Snapshot {
  readonly ingresses: readonly Ingress[];
  readonly ingressClasses: readonly IngressClass[];
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

/** A snapshot that notes what it is asked for, so that changes of other objects cause no compilation. */
export function trackedSnapshot(snapshot: Snapshot): { snapshot: Snapshot; references: References } {
  const secrets = new Set<string>();
  const services = new Set<string>();
  const tracked: Snapshot = {
    ingresses: snapshot.ingresses,
    ingressClasses: snapshot.ingressClasses,
    service(key) {
      services.add(keyText(key));
      return snapshot.service(key);
    },
    secret(key) {
      secrets.add(keyText(key));
      return snapshot.secret(key);
    },
    endpointSlices: service => snapshot.endpointSlices(service),
    endpoints: service => snapshot.endpoints(service),
  };
  return { snapshot: tracked, references: { secrets, services } };
}
