import type { Ingress } from '../../api/kubernetes/ingress.ts';
import type { IngressClass } from '../../api/kubernetes/ingress-class.ts';
import { type ClassRule, type ClassSettings, classRule } from '../../api/kubernetes/ingress-selection.ts';
import type { Cache } from '../../kube/cache.ts';

/** Tells which Ingresses are ours to write to, by the classes that are cached now. One that is being deleted is not. */
export function servedIngresses(
  cache: Pick<Cache<IngressClass>, 'list'>,
  settings: ClassSettings,
): (ingress: Ingress) => boolean {
  let known: { readonly classes: readonly IngressClass[]; readonly rule: ClassRule } | undefined;
  return ingress => {
    const classes = cache.list();
    const same =
      known?.classes.length === classes.length && known.classes.every((one, index) => one === classes[index]);
    if (!same || known === undefined) known = { classes, rule: classRule(classes, settings) };
    return ingress.metadata.deletionTimestamp === undefined && known.rule.serves(ingress);
  };
}
