import { ingressClassAnnotation } from '../../api/annotations.ts';
import type { Ingress } from '../../api/kubernetes/ingress.ts';
import { type IngressClass, ingressClassOf } from '../../api/kubernetes/ingress-class.ts';
import { classRule } from '../../api/kubernetes/ingress-selection.ts';
import { type Finding, findingReasons } from '../finding.ts';
import type { CompileSettings } from './settings.ts';

/** Whether an Ingress is to be served, and what its owner should know about its class. */
export interface Selection {
  readonly selected: boolean;
  readonly finding: Finding | undefined;
}

const plainlySelected: Selection = Object.freeze({ selected: true, finding: undefined });
const passedOver: Selection = Object.freeze({ selected: false, finding: undefined });

/**
 * Says which Ingresses are to be served. The class annotation goes before the field (Kubernetes, Ingress: deprecated
 * annotation; edge.md, statement 14). One that is being deleted is served until it is gone.
 */
export function ingressSelector(
  classes: readonly IngressClass[],
  settings: CompileSettings,
): (ingress: Ingress) => Selection {
  const rule = classRule(classes, settings);
  return ingress => {
    const selected = rule.serves(ingress);
    const { name, overruled } = ingressClassOf(ingress);
    const differ =
      name !== undefined && overruled !== undefined && (rule.isOurs(name) || rule.isOurs(overruled));
    if (differ) return { selected, finding: classesDiffer(ingress, name, overruled) };
    return selected ? plainlySelected : passedOver;
  };
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
