import type { Challenge } from '../../api/acme/challenge.ts';
import type { Ingress } from '../../api/kubernetes/ingress.ts';
import type { IngressClass } from '../../api/kubernetes/ingress-class.ts';
import { type ClassSettings, classRule } from '../../api/kubernetes/ingress-selection.ts';
import type { Cache } from '../../kube/cache.ts';
import { temporaryIngressFor } from './temporary-ingress.ts';

/**
 * Tells whether the solver Service needs a port on the nodes for a challenge: where the solver says `serviceType: NodePort`,
 * and, as with cert-manager, where it says nothing, since controllers of clouds reach Services by the nodes. An Ingress
 * that Postern's own edge serves needs none. Throws SOLVER_INVALID_CHALLENGE.
 */
export function createNodePortRule(parts: {
  readonly ingresses: Cache<Ingress>;
  readonly classes: Cache<IngressClass>;
  readonly settings: ClassSettings;
}): (challenge: Challenge) => boolean {
  const { ingresses, classes, settings } = parts;
  return challenge => {
    const { serviceType, name = '' } = challenge.spec.solver.http01?.ingress ?? {};
    if (serviceType !== undefined) return serviceType === 'NodePort';
    const { namespace = '' } = challenge.metadata;
    const carrier = name === '' ? temporaryIngressFor(challenge) : ingresses.get({ namespace, name });
    // Without a class it gets the default one, as in standalone mode, where no API server writes it in.
    const rule = classRule(classes.list(), { ...settings, standalone: true });
    return carrier !== undefined && !rule.serves(carrier);
  };
}
