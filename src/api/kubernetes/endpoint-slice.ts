import type { KubeObject } from '../meta.ts';
import type { Resource } from '../resource.ts';
import type { ObjectReference } from './object-reference.ts';

export interface EndpointConditions {
  /** Absent counts as true. */
  ready?: boolean | undefined;
  serving?: boolean | undefined;
  terminating?: boolean | undefined;
}

export interface Endpoint {
  addresses: string[];
  conditions?: EndpointConditions | undefined;
  hostname?: string | undefined;
  nodeName?: string | undefined;
  zone?: string | undefined;
  targetRef?: ObjectReference | undefined;
  /** v1beta1 only; v1 has nodeName and zone instead. */
  topology?: Record<string, string> | undefined;
}

export interface EndpointSlicePort {
  name?: string | undefined;
  port?: number | undefined;
  protocol?: string | undefined;
  appProtocol?: string | undefined;
}

/** `discovery.k8s.io` EndpointSlice, of v1 and, as far as read here, of v1beta1. */
export interface EndpointSlice extends KubeObject {
  addressType: 'IPv4' | 'IPv6' | 'FQDN';
  endpoints?: Endpoint[] | undefined;
  ports?: EndpointSlicePort[] | undefined;
}

export const endpointSlices: Resource<EndpointSlice> = {
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  namespaced: true,
  hasStatus: false,
};

/** What Kubernetes 1.20 serves in the place of v1. */
export const endpointSlicesV1beta1: Resource<EndpointSlice> = { ...endpointSlices, version: 'v1beta1' };
