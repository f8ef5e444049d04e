import type { Condition } from '../condition.ts';
import type { KubeObject } from '../meta.ts';
import type { Resource } from '../resource.ts';

/** Core v1 Namespace. */
export interface Namespace extends KubeObject {
  spec?: { finalizers?: string[] | undefined } | undefined;
  status?: { phase?: string | undefined; conditions?: Condition[] | undefined } | undefined;
}

export const namespaces: Resource<Namespace> = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  namespaced: false,
  hasStatus: true,
};

/** Core v1 ConfigMap. */
export interface ConfigMap extends KubeObject {
  data?: Record<string, string> | undefined;
  binaryData?: Record<string, string> | undefined;
  immutable?: boolean | undefined;
}

export const configMaps: Resource<ConfigMap> = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
  hasStatus: false,
};

/** Core v1 ServiceAccount. */
export interface ServiceAccount extends KubeObject {
  secrets?: { name?: string | undefined }[] | undefined;
  automountServiceAccountToken?: boolean | undefined;
}

export const serviceAccounts: Resource<ServiceAccount> = {
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  namespaced: true,
  hasStatus: false,
};

/** Core v1 Pod, the part that says where it is and whether it is ready. */
export interface Pod extends KubeObject {
  spec?: { nodeName?: string | undefined; serviceAccountName?: string | undefined } | undefined;
  status?:
    | {
        phase?: string | undefined;
        podIP?: string | undefined;
        podIPs?: { ip?: string | undefined }[] | undefined;
        hostIP?: string | undefined;
        conditions?: Condition[] | undefined;
      }
    | undefined;
}

export const pods: Resource<Pod> = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  namespaced: true,
  hasStatus: true,
};
