import type { KubeObject } from '../meta.ts';
import type { Resource } from '../resource.ts';

/** A Service's port: a number or a name, never both. */
export interface ServiceBackendPort {
  name?: string | undefined;
  number?: number | undefined;
}

export interface IngressServiceBackend {
  name: string;
  port?: ServiceBackendPort | undefined;
}

/** A reference to another kind of the Ingress's namespace. */
export interface TypedLocalObjectReference {
  apiGroup?: string | undefined;
  kind: string;
  name: string;
}

/** Where requests go: to a Service or to a resource, never both. */
export interface IngressBackend {
  service?: IngressServiceBackend | undefined;
  resource?: TypedLocalObjectReference | undefined;
}

export type PathType = 'Exact' | 'Prefix' | 'ImplementationSpecific';

export interface HttpIngressPath {
  path?: string | undefined;
  pathType: PathType;
  backend: IngressBackend;
  /** CCE's addition: settings of one path, `ingress.beta.kubernetes.io/url-match-mode` say. */
  property?: Record<string, string> | undefined;
}

export interface HttpIngressRuleValue {
  paths: HttpIngressPath[];
}

export interface IngressRule {
  host?: string | undefined;
  http?: HttpIngressRuleValue | undefined;
}

export interface IngressTls {
  hosts?: string[] | undefined;
  secretName?: string | undefined;
}

export interface IngressSpec {
  ingressClassName?: string | undefined;
  defaultBackend?: IngressBackend | undefined;
  rules?: IngressRule[] | undefined;
  tls?: IngressTls[] | undefined;
}

export interface IngressPortStatus {
  port: number;
  protocol: string;
  error?: string | undefined;
}

export interface IngressLoadBalancerIngress {
  ip?: string | undefined;
  hostname?: string | undefined;
  ports?: IngressPortStatus[] | undefined;
}

export interface IngressStatus {
  loadBalancer?: { ingress?: IngressLoadBalancerIngress[] | undefined } | undefined;
}

/** `networking.k8s.io/v1` Ingress. */
export interface Ingress extends KubeObject {
  spec?: IngressSpec | undefined;
  status?: IngressStatus | undefined;
}

export const ingresses: Resource<Ingress> = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  namespaced: true,
  hasStatus: true,
};
