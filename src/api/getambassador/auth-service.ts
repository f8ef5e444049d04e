import type { KubeObject } from '../meta.ts';
import type { Resource } from '../resource.ts';

/**
 * `getambassador.io/v3alpha1` AuthService: a service that Emissary asks before it forwards. Postern asks nobody, and so
 * answers with 503 what such a service guards.
 */
export interface AuthService extends KubeObject {
  spec?: { ambassador_id?: unknown } | undefined;
}

export const authServices: Resource<AuthService> = {
  group: 'getambassador.io',
  version: 'v3alpha1',
  kind: 'AuthService',
  plural: 'authservices',
  namespaced: true,
  hasStatus: false,
};

/** `getambassador.io/v3alpha1` FilterPolicy of Ambassador Edge Stack: which requests must pass which filters. The same holds. */
export const filterPolicies: Resource<AuthService> = {
  group: 'getambassador.io',
  version: 'v3alpha1',
  kind: 'FilterPolicy',
  plural: 'filterpolicies',
  namespaced: true,
  hasStatus: false,
};
