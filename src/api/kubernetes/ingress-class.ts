import { ingressClassAnnotation } from '../annotations.ts';
import type { KubeObject } from '../meta.ts';
import type { Resource } from '../resource.ts';
import type { Ingress } from './ingress.ts';

export interface IngressClassParameters {
  apiGroup?: string | undefined;
  kind: string;
  name: string;
  namespace?: string | undefined;
  scope?: string | undefined;
}

export interface IngressClassSpec {
  /** Who serves the class: `postern.dev/ingress`, say. */
  controller?: string | undefined;
  parameters?: IngressClassParameters | undefined;
}

/** `networking.k8s.io/v1` IngressClass. */
export interface IngressClass extends KubeObject {
  spec?: IngressClassSpec | undefined;
}

export const ingressClasses: Resource<IngressClass> = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  plural: 'ingressclasses',
  namespaced: false,
  hasStatus: false,
};

/** The class that an Ingress names. */
export interface NamedIngressClass {
  /** Undefined where it names none: then the default class, if there is one, is meant. */
  readonly name: string | undefined;
  readonly source: 'annotation' | 'field' | 'none';
  /** What spec.ingressClassName says, where the annotation says something else and so overrules it. */
  readonly overruled: string | undefined;
}

/**
 * The class that an Ingress names. The annotation `kubernetes.io/ingress.class` has precedence over
 * `spec.ingressClassName` (Ingress v1 API, ingressClassName); empty ones name nothing.
 */
export function ingressClassOf(ingress: Pick<Ingress, 'metadata' | 'spec'>): NamedIngressClass {
  const annotation = ingress.metadata.annotations?.[ingressClassAnnotation] || undefined;
  const field = ingress.spec?.ingressClassName || undefined;
  if (annotation === undefined) {
    return { name: field, source: field === undefined ? 'none' : 'field', overruled: undefined };
  }
  return { name: annotation, source: 'annotation', overruled: field === annotation ? undefined : field };
}
