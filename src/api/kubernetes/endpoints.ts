import type { KubeObject } from '../meta.ts';
import type { Resource } from '../resource.ts';
import type { ObjectReference } from './object-reference.ts';

export interface EndpointAddress {
  ip: string;
  hostname?: string | undefined;
  nodeName?: string | undefined;
  targetRef?: ObjectReference | undefined;
}

export interface EndpointPort {
  name?: string | undefined;
  port: number;
  protocol?: string | undefined;
  appProtocol?: string | undefined;
}

export interface EndpointSubset {
  addresses?: EndpointAddress[] | undefined;
  notReadyAddresses?: EndpointAddress[] | undefined;
  ports?: EndpointPort[] | undefined;
}

/** Core v1 Endpoints: the addresses of a Service, by the same name. */
export interface Endpoints extends KubeObject {
  subsets?: EndpointSubset[] | undefined;
}

export const endpoints: Resource<Endpoints> = {
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  namespaced: true,
  hasStatus: false,
};
