import { defaultIngressClassAnnotation } from '../annotations.ts';
import type { Ingress } from './ingress.ts';
import { type IngressClass, ingressClassOf } from './ingress-class.ts';

/** What decides which Ingresses are served. */
export interface ClassSettings {
  /** Classes that are served without an IngressClass object, or whatever it says. */
  readonly ingressClasses: readonly string[];
  /** `spec.controller` of our IngressClasses. */
  readonly controllerName: string;
  /** The class that is ours as long as no IngressClass of that name says otherwise. */
  readonly defaultClassName: string;
  readonly watchIngressWithoutClass: boolean;
  /** No API server, so that no admission fills in the default class. */
  readonly standalone: boolean;
}

/** The settings of a program that was told nothing. */
export const defaultClassSettings: ClassSettings = Object.freeze({
  ingressClasses: [],
  controllerName: 'postern.dev/ingress',
  defaultClassName: 'postern',
  watchIngressWithoutClass: false,
  standalone: false,
});

/** Which classes, and which Ingresses by their class, are ours. */
export interface ClassRule {
  isOurs(className: string): boolean;
  serves(ingress: Pick<Ingress, 'metadata' | 'spec'>): boolean;
}

/**
 * The rule for the IngressClasses that there are (Kubernetes, Ingress: IngressClass; edge.md, statement 14). The class
 * annotation goes before the field; an Ingress without a class is ours where the flag says so, or, without an API server,
 * where the default class is.
 */
export function classRule(classes: readonly IngressClass[], settings: ClassSettings): ClassRule {
  const controllers = new Map(classes.map(one => [one.metadata.name ?? '', one.spec?.controller]));
  const listed = new Set(settings.ingressClasses);
  const isOurs = (name: string): boolean =>
    listed.has(name) ||
    (controllers.has(name)
      ? controllers.get(name) === settings.controllerName
      : name === settings.defaultClassName);
  const isDefault = (one: IngressClass): boolean =>
    one.metadata.annotations?.[defaultIngressClassAnnotation] === 'true' && isOurs(one.metadata.name ?? '');
  // On a cluster, admission writes the default class into the Ingress; without one it is looked up here.
  const classless = settings.watchIngressWithoutClass || (settings.standalone && classes.some(isDefault));
  return {
    isOurs,
    serves(ingress) {
      const { name } = ingressClassOf(ingress);
      return name === undefined ? classless : isOurs(name);
    },
  };
}
