/** Labels and finalizers that Postern reads and writes, by the keys that cert-manager and Kubernetes gave them. */

/** "true" on the Secret that holds the key of an issuance under way. */
export const nextPrivateKeyLabel = 'cert-manager.io/next-private-key';
/** "true" on every Secret that the controllers keep: "for all objects", a filter for watches. */
export const controlledSecretLabel = 'controller.cert-manager.io/fao';

/** On what carries an HTTP01 challenge: checksums of the host name and of the token. */
export const http01DomainLabel = 'acme.cert-manager.io/http-domain';
export const http01TokenLabel = 'acme.cert-manager.io/http-token';
/** "true" on what carries an HTTP01 challenge. */
export const http01SolverLabel = 'acme.cert-manager.io/http01-solver';

/** Labels of an Ingress with this key are not copied to its Certificates. */
export const applySetPartOfLabel = 'applyset.kubernetes.io/part-of';

/** On an EndpointSlice: the Service it belongs to, and who keeps it. */
export const serviceNameLabel = 'kubernetes.io/service-name';
export const endpointSliceManagedByLabel = 'endpointslice.kubernetes.io/managed-by';

/** On a Challenge: its solver must be cleaned up before it goes. */
export const challengeFinalizer = 'acme.cert-manager.io/finalizer';
/** On a Certificate: its certificate is to be revoked before it goes. */
export const revokeFinalizer = 'postern.dev/revoke';
/** What the API server sets for a deletion that waits for the dependents. */
export const foregroundDeletionFinalizer = 'foregroundDeletion';
