import { defaultIngressClassAnnotation, ingressClassAnnotation } from '../../api/annotations.ts';
import type { Ingress } from '../../api/kubernetes/ingress.ts';
import type { IngressClass } from '../../api/kubernetes/ingress-class.ts';
import { keyOf, keyText } from '../../api/meta.ts';
import { type Finding, findingReasons } from '../finding.ts';
import type { CompileSettings } from './settings.ts';

/**
 * The Ingresses to be served, oldest first: where two want the same, the first wins. The class annotation goes
 * before the field (Kubernetes, Ingress: deprecated annotation; edge.md, statements 6 and 14). One that is being
 * deleted is served until it is gone.
 */
export function selectIngresses(
  ingresses: readonly Ingress[],
  classes: readonly IngressClass[],
  settings: CompileSettings,
): { selected: Ingress[]; findings: Finding[] } {
  const isOurs = classJudge(classes, settings);
  const classless =
    settings.watchIngressWithoutClass || (settings.standalone && hasDefaultClass(classes, isOurs));
  const findings: Finding[] = [];
  const selected = ingresses.filter(ingress => {
    const annotation = ingress.metadata.annotations?.[ingressClassAnnotation] || undefined;
    const field = ingress.spec?.ingressClassName || undefined;
    const chosen = annotation ?? field;
    if (annotation !== undefined && field !== undefined && annotation !== field) {
      if (isOurs(annotation) || isOurs(field)) findings.push(classesDiffer(ingress, annotation, field));
    }
    return chosen === undefined ? classless : isOurs(chosen);
  });
  return { selected: sortedByAge(selected), findings };
}

function classJudge(classes: readonly IngressClass[], settings: CompileSettings): (name: string) => boolean {
  const controllers = new Map(classes.map(one => [one.metadata.name ?? '', one.spec?.controller]));
  const listed = new Set(settings.ingressClasses);
  return name =>
    listed.has(name) ||
    (controllers.has(name)
      ? controllers.get(name) === settings.controllerName
      : name === settings.defaultClassName);
}

/** On a cluster, admission writes the default class into the Ingress; without one it is looked up here. */
function hasDefaultClass(classes: readonly IngressClass[], isOurs: (name: string) => boolean): boolean {
  return classes.some(
    one =>
      one.metadata.annotations?.[defaultIngressClassAnnotation] === 'true' && isOurs(one.metadata.name ?? ''),
  );
}

function classesDiffer(ingress: Ingress, annotation: string, field: string): Finding {
  return {
    object: ingress,
    reason: findingReasons.classConflict,
    message:
      `the annotation ${ingressClassAnnotation} is "${annotation}" and spec.ingressClassName is "${field}"; ` +
      'the annotation counts: remove one of the two',
  };
}

function sortedByAge(ingresses: readonly Ingress[]): Ingress[] {
  // An object without a time has not been stored yet: it is the youngest.
  const keyed = ingresses.map(ingress => ({
    ingress,
    age: ingress.metadata.creationTimestamp ?? '9999',
    name: keyText(keyOf(ingress)),
  }));
  keyed.sort((a, b) => compareText(a.age, b.age) || compareText(a.name, b.name));
  return keyed.map(({ ingress }) => ingress);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
