import type { Condition } from '../condition.ts';
import type { KubeObject } from '../meta.ts';
import type { Resource } from '../resource.ts';

export interface ServicePort {
  name?: string | undefined;
  protocol?: string | undefined;
  port: number;
  targetPort?: number | string | undefined;
  nodePort?: number | undefined;
  appProtocol?: string | undefined;
}

export interface ServiceSpec {
  type?: string | undefined;
  selector?: Record<string, string> | undefined;
  ports?: ServicePort[] | undefined;
  clusterIP?: string | undefined;
  clusterIPs?: string[] | undefined;
  ipFamilies?: string[] | undefined;
  ipFamilyPolicy?: string | undefined;
  /** With type ExternalName: the host name that stands for the Service. */
  externalName?: string | undefined;
  externalIPs?: string[] | undefined;
  sessionAffinity?: string | undefined;
  publishNotReadyAddresses?: boolean | undefined;
}

/** Core v1 Service. */
export interface Service extends KubeObject {
  spec?: ServiceSpec | undefined;
  status?:
    | {
        loadBalancer?:
          | { ingress?: { ip?: string | undefined; hostname?: string | undefined }[] | undefined }
          | undefined;
        conditions?: Condition[] | undefined;
      }
    | undefined;
}

export const services: Resource<Service> = {
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  namespaced: true,
  hasStatus: true,
};
