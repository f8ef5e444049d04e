import { challenges } from '../../api/acme/challenge.ts';
import { orders } from '../../api/acme/order.ts';
import { certificates } from '../../api/cert-manager/certificate.ts';
import { certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import { clusterIssuers, issuers } from '../../api/cert-manager/issuer.ts';
import { authServices, filterPolicies } from '../../api/getambassador/auth-service.ts';
import { mappings } from '../../api/getambassador/mapping.ts';
import { tlsContexts } from '../../api/getambassador/tls-context.ts';
import { configMaps, namespaces, pods, serviceAccounts } from '../../api/kubernetes/core.ts';
import { endpointSlices } from '../../api/kubernetes/endpoint-slice.ts';
import { endpoints } from '../../api/kubernetes/endpoints.ts';
import { events } from '../../api/kubernetes/event.ts';
import { ingresses } from '../../api/kubernetes/ingress.ts';
import { ingressClasses } from '../../api/kubernetes/ingress-class.ts';
import { leases } from '../../api/kubernetes/lease.ts';
import { secrets } from '../../api/kubernetes/secret.ts';
import { services } from '../../api/kubernetes/service.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { Resource } from '../../api/resource.ts';

/** What the embedded store serves: each resource in one version. */
export const embeddedResources: readonly Resource<KubeObject>[] = [
  authServices,
  certificateRequests,
  certificates,
  challenges,
  clusterIssuers,
  configMaps,
  endpointSlices,
  endpoints,
  events,
  filterPolicies,
  ingressClasses,
  ingresses,
  issuers,
  leases,
  mappings,
  namespaces,
  orders,
  pods,
  secrets,
  serviceAccounts,
  services,
  tlsContexts,
];
