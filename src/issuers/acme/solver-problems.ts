import type { AcmeSolver } from '../../api/acme/solver.ts';

/** What is wrong with an issuer's solvers as a whole: an empty list says that they can be used. */
export function solverProblems(solvers: readonly AcmeSolver[]): string[] {
  if (solvers.length === 0) {
    return ['spec.acme.solvers is empty; add one with http01.ingress.'];
  }
  const problems = solvers.flatMap(oneSolverProblems);
  const usable = solvers.some((solver, index) => oneSolverProblems(solver, index).length === 0);
  // One that cannot be used does no harm beside one that can: its names fail, with this reason, and no others.
  return usable ? [] : problems;
}

/** What keeps one of several solvers from being used. */
export function oneSolverProblems(solver: AcmeSolver, index: number): string[] {
  const field = `spec.acme.solvers[${index}]`;
  if (solver.http01?.ingress !== undefined) {
    const named = (['class', 'ingressClassName', 'name'] as const).filter(
      name => solver.http01?.ingress?.[name],
    );
    return named.length > 1 ? [`${field}.http01.ingress sets ${named.join(' and ')}; set one of them.`] : [];
  }
  if (solver.http01?.gatewayHTTPRoute !== undefined) {
    return [`${field}.http01.gatewayHTTPRoute is not supported; use http01.ingress.`];
  }
  if (solver.dns01 !== undefined) return [`${field}.dns01 is not supported; use http01.ingress.`];
  return [`${field} has neither http01 nor dns01; add http01.ingress.`];
}
