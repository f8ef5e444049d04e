import type { KubernetesLine } from '../servers/versions.ts';

/*
 * What the ServiceAccounts of deploy/ may do, and some of what they must not. deploy.e2e.ts asks real API servers
 * whether it is so; docs/install.md has the same table, with reasons.
 */

/** The two sets of rights. One ServiceAccount has both, or each has its own. */
export type Part = 'controllers' | 'edge';

/** `group/resource`, with `core` for the group without a name, and what may be done to it. */
export interface Grant {
  readonly resource: string;
  readonly verbs: string;
  /** Whether it is outside of namespaces. */
  readonly isClusterScoped?: boolean;
  /** On this line alone. */
  readonly line?: KubernetesLine;
}

const read = 'get, list, watch';
const readWrite = 'get, list, watch, create, update, delete';

export const grants: Readonly<Record<Part, readonly Grant[]>> = {
  controllers: [
    { resource: 'networking.k8s.io/ingresses', verbs: readWrite },
    { resource: 'networking.k8s.io/ingresses/status', verbs: 'update' },
    { resource: 'networking.k8s.io/ingressclasses', verbs: read, isClusterScoped: true },
    { resource: 'cert-manager.io/certificates', verbs: readWrite },
    { resource: 'cert-manager.io/certificates/status', verbs: 'update' },
    { resource: 'cert-manager.io/certificaterequests', verbs: 'get, list, watch, create, delete' },
    { resource: 'cert-manager.io/certificaterequests/status', verbs: 'update' },
    { resource: 'cert-manager.io/issuers', verbs: read },
    { resource: 'cert-manager.io/issuers/status', verbs: 'update' },
    { resource: 'cert-manager.io/clusterissuers', verbs: read, isClusterScoped: true },
    { resource: 'cert-manager.io/clusterissuers/status', verbs: 'update', isClusterScoped: true },
    { resource: 'acme.cert-manager.io/orders', verbs: 'get, list, watch, create, delete' },
    { resource: 'acme.cert-manager.io/orders/status', verbs: 'update' },
    { resource: 'acme.cert-manager.io/challenges', verbs: 'get, list, watch, create, patch, delete' },
    { resource: 'acme.cert-manager.io/challenges/status', verbs: 'update' },
    { resource: 'core/secrets', verbs: readWrite },
    { resource: 'core/services', verbs: readWrite },
    { resource: 'discovery.k8s.io/endpointslices', verbs: readWrite },
    { resource: 'core/endpoints', verbs: readWrite, line: '1.20' },
    { resource: 'networking.k8s.io/ingresses/finalizers', verbs: 'update' },
    { resource: 'cert-manager.io/certificates/finalizers', verbs: 'update' },
    { resource: 'cert-manager.io/certificaterequests/finalizers', verbs: 'update' },
    { resource: 'acme.cert-manager.io/orders/finalizers', verbs: 'update' },
    { resource: 'core/events', verbs: 'create, patch' },
  ],
  edge: [
    { resource: 'networking.k8s.io/ingresses', verbs: read },
    { resource: 'networking.k8s.io/ingressclasses', verbs: read, isClusterScoped: true },
    { resource: 'core/services', verbs: read },
    { resource: 'discovery.k8s.io/endpointslices', verbs: read },
    { resource: 'core/secrets', verbs: read },
    { resource: 'getambassador.io/mappings', verbs: read },
    { resource: 'getambassador.io/tlscontexts', verbs: read },
    { resource: 'getambassador.io/authservices', verbs: read },
    { resource: 'getambassador.io/filterpolicies', verbs: read },
    { resource: 'core/events', verbs: 'create, patch' },
  ],
};

/** In the namespace of the Lease alone. */
export const leaseGrants: readonly string[] = [
  'coordination.k8s.io/leases create',
  'coordination.k8s.io/leases#postern-controllers get',
  'coordination.k8s.io/leases#postern-controllers update',
  'coordination.k8s.io/leases#postern-controllers watch',
];

/** Where the Secrets of ClusterIssuers are, if that is another namespace than the one that everything else is limited to. */
export const clusterIssuerGrants: readonly Grant[] = [
  { resource: 'core/secrets', verbs: 'get, list, watch, create' },
];

/** In the namespace of the release alone. `only` is the namespace that everything else is limited to. */
export function publishGrants(service: string, only: string | undefined): readonly string[] {
  const named = ['list', 'watch'].map(verb => `core/services#${service} ${verb}`);
  return ['core/pods list', ...(only === undefined ? [] : named)];
}

/** One `group/resource verb` for each right, sorted. */
export function rightsOf(given: readonly Grant[], line: KubernetesLine): string[] {
  return given
    .filter(grant => grant.line === undefined || grant.line === line)
    .flatMap(({ resource, verbs }) => verbs.split(', ').map(verb => `${resource} ${verb}`))
    .toSorted();
}

/** What a SubjectAccessReview asks. An absent namespace means all of them. */
export interface Attempt {
  readonly group?: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly verb: string;
  readonly namespace?: string;
  readonly name?: string;
}

/**
 * What would let somebody who has taken over Postern take over more. Not all that is forbidden, which is everything
 * else: the rest shows in the comparison with `grants`.
 */
export const forbiddenToAll: readonly Attempt[] = [
  { resource: 'pods', subresource: 'exec', verb: 'create', namespace: 'shop' },
  { resource: 'pods', verb: 'create', namespace: 'shop' },
  { resource: 'pods', verb: 'list', namespace: 'shop' },
  { resource: 'pods', subresource: 'portforward', verb: 'create', namespace: 'shop' },
  { group: 'apps', resource: 'deployments', verb: 'update', namespace: 'postern-system' },
  { group: 'apps', resource: 'daemonsets', verb: 'create', namespace: 'kube-system' },
  { group: 'batch', resource: 'jobs', verb: 'create', namespace: 'shop' },
  { resource: 'configmaps', verb: 'get', namespace: 'kube-system' },
  { resource: 'configmaps', verb: 'update', namespace: 'shop' },
  { resource: 'secrets', verb: 'deletecollection', namespace: 'shop' },
  { resource: 'secrets', verb: '*' },
  { resource: '*', verb: 'get' },
  { resource: 'serviceaccounts', verb: 'create', namespace: 'shop' },
  { resource: 'serviceaccounts', subresource: 'token', verb: 'create', namespace: 'kube-system' },
  { resource: 'serviceaccounts', verb: 'impersonate', namespace: 'kube-system' },
  { resource: 'users', verb: 'impersonate' },
  { group: 'rbac.authorization.k8s.io', resource: 'clusterroles', verb: 'escalate' },
  { group: 'rbac.authorization.k8s.io', resource: 'clusterroles', verb: 'bind' },
  { group: 'rbac.authorization.k8s.io', resource: 'clusterrolebindings', verb: 'create' },
  { group: 'rbac.authorization.k8s.io', resource: 'rolebindings', verb: 'create', namespace: 'shop' },
  { resource: 'nodes', verb: 'list' },
  { resource: 'nodes', subresource: 'proxy', verb: 'get' },
  { resource: 'namespaces', verb: 'list' },
  { resource: 'namespaces', verb: 'delete', name: 'shop' },
  { resource: 'services', subresource: 'proxy', verb: 'get', namespace: 'kube-system' },
  { resource: 'events', verb: 'delete', namespace: 'shop' },
  { resource: 'events', verb: 'list' },
  { group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions', verb: 'update' },
  {
    group: 'admissionregistration.k8s.io',
    resource: 'validatingwebhookconfigurations',
    verb: 'create',
  },
  { group: 'certificates.k8s.io', resource: 'certificatesigningrequests', verb: 'create' },
  { group: 'networking.k8s.io', resource: 'ingressclasses', verb: 'update' },
  { group: 'networking.k8s.io', resource: 'networkpolicies', verb: 'delete', namespace: 'shop' },
  { group: 'cert-manager.io', resource: 'issuers', verb: 'create', namespace: 'shop' },
  { group: 'cert-manager.io', resource: 'issuers', verb: 'update', namespace: 'shop' },
  { group: 'cert-manager.io', resource: 'clusterissuers', verb: 'update' },
  { group: 'cert-manager.io', resource: 'certificaterequests', verb: 'update', namespace: 'shop' },
  { group: 'acme.cert-manager.io', resource: 'orders', verb: 'update', namespace: 'shop' },
  // Another component's leadership, which the kube-scheduler would lose with its Lease.
  { group: 'coordination.k8s.io', resource: 'leases', verb: 'update', namespace: 'kube-system' },
  { group: 'coordination.k8s.io', resource: 'leases', verb: 'create', namespace: 'kube-system' },
  {
    group: 'coordination.k8s.io',
    resource: 'leases',
    verb: 'update',
    namespace: 'postern-system',
    name: 'kube-scheduler',
  },
  { group: 'coordination.k8s.io', resource: 'leases', verb: 'delete', namespace: 'postern-system' },
];

/** The edge faces the internet: what it must not do though the controllers may. */
export const forbiddenToEdge: readonly Attempt[] = [
  ...['create', 'update', 'patch', 'delete'].flatMap(verb => [
    { resource: 'secrets', verb, namespace: 'shop' },
    { resource: 'services', verb, namespace: 'shop' },
    { resource: 'endpoints', verb, namespace: 'shop' },
    { group: 'discovery.k8s.io', resource: 'endpointslices', verb, namespace: 'shop' },
    { group: 'networking.k8s.io', resource: 'ingresses', verb, namespace: 'shop' },
    { group: 'cert-manager.io', resource: 'certificates', verb, namespace: 'shop' },
    { group: 'acme.cert-manager.io', resource: 'challenges', verb, namespace: 'shop' },
  ]),
  { group: 'networking.k8s.io', resource: 'ingresses', subresource: 'status', verb: 'update' },
  { group: 'cert-manager.io', resource: 'certificates', verb: 'list' },
  { group: 'cert-manager.io', resource: 'certificates', subresource: 'status', verb: 'update' },
  { group: 'coordination.k8s.io', resource: 'leases', verb: 'create', namespace: 'postern-system' },
  {
    group: 'coordination.k8s.io',
    resource: 'leases',
    verb: 'update',
    namespace: 'postern-system',
    name: 'postern-controllers',
  },
];
