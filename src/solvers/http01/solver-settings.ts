import type { AcmeSolver, Http01Ingress } from '../../api/acme/solver.ts';
import {
  http01OverrideIngressClassAnnotation,
  http01OverrideIngressClassNameAnnotation,
  http01OverrideIngressNameAnnotation,
  sourceIngressClassAnnotation,
} from '../../api/annotations.ts';

/**
 * The chosen solver with what the Order's annotations say about it, to be written into a Challenge. First comes an
 * override (an Ingress by name, a class by `ingressClassName`, a class by annotation, in this order where there are
 * several), then the solver's own setting, then the class of the Ingress that the Certificate was made for.
 * Of `name`, `ingressClassName` and `class` at most one is left. Empty annotations count as absent.
 *
 * `isIngressClass` tells whether there is an IngressClass of a name: a source Ingress's class is then set by
 * `ingressClassName`, which current controllers want, and else by the annotation, which needs no IngressClass.
 */
export function solverWithOverrides(
  solver: AcmeSolver,
  annotations: Readonly<Record<string, string>> = {},
  isIngressClass: (name: string) => boolean = () => false,
): AcmeSolver {
  const ingress = solver.http01?.ingress;
  if (ingress === undefined) return solver;
  const source = annotations[sourceIngressClassAnnotation] ?? '';
  const place =
    placeOf({
      name: annotations[http01OverrideIngressNameAnnotation],
      ingressClassName: annotations[http01OverrideIngressClassNameAnnotation],
      class: annotations[http01OverrideIngressClassAnnotation],
    }) ??
    placeOf(ingress) ??
    placeOf(isIngressClass(source) ? { ingressClassName: source } : { class: source }) ??
    {};
  const { name: _, ingressClassName: __, class: ___, ...others } = ingress;
  return { ...solver, http01: { ...solver.http01, ingress: { ...others, ...place } } };
}

function placeOf(
  settings: Pick<Http01Ingress, 'name' | 'ingressClassName' | 'class'>,
): Http01Ingress | undefined {
  const { name = '', ingressClassName = '', class: byAnnotation = '' } = settings;
  if (name !== '') return { name };
  if (ingressClassName !== '') return { ingressClassName };
  return byAnnotation === '' ? undefined : { class: byAnnotation };
}
