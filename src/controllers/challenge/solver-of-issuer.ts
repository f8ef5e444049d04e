import type { Challenge } from '../../api/acme/challenge.ts';
import type { AcmeSolver } from '../../api/acme/solver.ts';
import { sourceIngressClassAnnotation } from '../../api/annotations.ts';
import type { CertificateRequest } from '../../api/cert-manager/certificate-request.ts';
import type { Issuer } from '../../api/cert-manager/issuer.ts';
import { sameJson } from '../../core/same-json.ts';
import { solverWithOverrides } from '../../solvers/http01/solver-settings.ts';

/**
 * Whether the solver of a Challenge is one that its issuer gives, with what the CertificateRequest's annotations say about
 * it. What else stands in a Challenge is its author's wish: an Ingress to be edited, annotations that an Ingress controller
 * obeys. Only what the HTTP01 solver reads is compared.
 */
export function isSolverOfIssuer(
  { spec }: Pick<Challenge, 'spec'>,
  issuer: Issuer,
  { metadata }: CertificateRequest,
): boolean {
  const wanted = readOf(solverWithOverrides(spec.solver));
  const { [sourceIngressClassAnnotation]: _source, ...withoutSource } = metadata.annotations ?? {};
  return (issuer.spec.acme?.solvers ?? []).some(solver =>
    [
      solverWithOverrides(solver, metadata.annotations),
      // Whether there is an IngressClass of that name may have changed since; cert-manager knows no class of the source.
      solverWithOverrides(solver, metadata.annotations, () => true),
      solverWithOverrides(solver, withoutSource),
    ].some(given => sameJson(readOf(given), wanted)),
  );
}

/** What the HTTP01 solver reads of a solver. */
function readOf({ http01, waitInsteadOfSelfCheck }: AcmeSolver): object | undefined {
  if (http01?.ingress === undefined) return undefined;
  const { name, class: byAnnotation, ingressClassName, serviceType, ingressTemplate } = http01.ingress;
  return {
    name,
    byAnnotation,
    ingressClassName,
    isNodePort: serviceType === 'NodePort',
    labels: ingressTemplate?.metadata?.labels ?? {},
    annotations: ingressTemplate?.metadata?.annotations ?? {},
    waitInsteadOfSelfCheck,
  };
}
