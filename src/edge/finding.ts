import type { KubeObject } from '../api/meta.ts';

/** Reasons of the edge's events, on Ingresses, Mappings and TLSContexts. */
export const findingReasons = {
  /** The class annotation and spec.ingressClassName differ. */
  classConflict: 'IngressClassConflict',
  ingressInvalid: 'InvalidIngress',
  hostInvalid: 'InvalidHost',
  pathInvalid: 'InvalidPath',
  /** An older Ingress has the same host, path and path type. */
  pathConflict: 'PathConflict',
  defaultBackendConflict: 'DefaultBackendConflict',
  /** An older Ingress names the same host in its TLS section, with another Secret. */
  tlsConflict: 'TLSConflict',
  /** An older Ingress has the name that an alias or a redirect from or to www asks for. */
  hostConflict: 'HostConflict',
  /** An older Ingress asks the clients of the same host for other certificates. */
  clientCertificateConflict: 'ClientCertificateConflict',
  /** No Ingress has the path that a canary is for. */
  canaryWithoutMain: 'CanaryWithoutMain',
  secretNotFound: 'SecretNotFound',
  secretInvalid: 'SecretInvalid',
  certificateMismatch: 'CertificateHostMismatch',
  certificateExpired: 'CertificateExpired',
  backendUnsupported: 'BackendUnsupported',
  serviceNotFound: 'ServiceNotFound',
  servicePortNotFound: 'ServicePortNotFound',
  endpointRefused: 'EndpointRefused',
  annotationInvalid: 'AnnotationInvalid',
  annotationUnsupported: 'AnnotationUnsupported',
  upstreamTlsInvalid: 'UpstreamTLSInvalid',
  upstreamTlsUnverified: 'UpstreamTLSUnverified',
  /** An upstream's certificate did not verify. */
  upstreamTlsFailed: 'UpstreamTLSFailed',
  mappingInvalid: 'InvalidMapping',
  /** A field of a Mapping that is left out, or that keeps it from being served. */
  mappingUnsupported: 'MappingUnsupported',
  /** The weights of equal Mappings are more than 100 together. */
  mappingConflict: 'MappingConflict',
  tlsContextInvalid: 'InvalidTLSContext',
  /** A TLSContext is kept in another way than it is written. */
  tlsContextAdjusted: 'TLSContextAdjusted',
} as const;

export type FindingReason = (typeof findingReasons)[keyof typeof findingReasons];

/** Something about an object that its owner should know: it becomes one Warning event. */
export interface Finding {
  readonly object: KubeObject;
  readonly reason: FindingReason;
  /** Names the field, the value and the fix. */
  readonly message: string;
}
