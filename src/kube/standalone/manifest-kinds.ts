import { challenges } from '../../api/acme/challenge.ts';
import { orders } from '../../api/acme/order.ts';
import { certificates } from '../../api/cert-manager/certificate.ts';
import { certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import { clusterIssuers, issuers } from '../../api/cert-manager/issuer.ts';
import { authServices, filterPolicies } from '../../api/getambassador/auth-service.ts';
import { mappings } from '../../api/getambassador/mapping.ts';
import { tlsContexts } from '../../api/getambassador/tls-context.ts';
import { endpointSlices } from '../../api/kubernetes/endpoint-slice.ts';
import { endpoints } from '../../api/kubernetes/endpoints.ts';
import { ingresses } from '../../api/kubernetes/ingress.ts';
import { ingressClasses } from '../../api/kubernetes/ingress-class.ts';
import { secrets } from '../../api/kubernetes/secret.ts';
import { services } from '../../api/kubernetes/service.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { Resource } from '../../api/resource.ts';

/** The resources that manifests declare in standalone mode. */
export const manifestResources: readonly Resource<KubeObject>[] = [
  authServices,
  certificateRequests,
  certificates,
  challenges,
  clusterIssuers,
  endpointSlices,
  endpoints,
  filterPolicies,
  ingressClasses,
  ingresses,
  issuers,
  mappings,
  orders,
  secrets,
  services,
  tlsContexts,
];

/** Groups of Kubernetes of which standalone mode needs nothing. */
const unneededGroups: ReadonlySet<string> = new Set([
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'apps',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'events.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
]);

/** Kinds of groups of which some are needed. */
const unneededKinds: ReadonlySet<string> = new Set([
  ...[
    'Binding',
    'ConfigMap',
    'Event',
    'LimitRange',
    'Namespace',
    'Node',
    'PersistentVolume',
    'PersistentVolumeClaim',
    'Pod',
    'PodTemplate',
    'ReplicationController',
    'ResourceQuota',
    'ServiceAccount',
  ].map(kind => `/${kind}`),
  'networking.k8s.io/IPAddress',
  'networking.k8s.io/NetworkPolicy',
  'networking.k8s.io/ServiceCIDR',
  'extensions/DaemonSet',
  'extensions/Deployment',
  'extensions/NetworkPolicy',
  'extensions/PodSecurityPolicy',
  'extensions/ReplicaSet',
]);

/** Whether Kubernetes has this kind and standalone mode has no use for it. */
export function isUnneeded(group: string, kind: string): boolean {
  return unneededGroups.has(group) || unneededKinds.has(`${group}/${kind}`);
}
