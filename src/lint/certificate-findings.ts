import { type Certificate, certificates } from '../api/cert-manager/certificate.ts';
import { certificateProblems } from '../api/cert-manager/certificate-validation.ts';
import { clusterIssuers, type Issuer, issuers } from '../api/cert-manager/issuer.ts';
import { ingresses } from '../api/kubernetes/ingress.ts';
import type { LintFinding } from '../api/lint-report.ts';
import type { KubeObject } from '../api/meta.ts';
import { type Resource, resourceId } from '../api/resource.ts';
import { decideCertificates } from '../controllers/ingress-shim/decide.ts';
import { oneSolverProblems } from '../issuers/acme/solver-problems.ts';
import { type Declared, findingAt } from './declared.ts';

/** As with flags that say nothing but the name of the default issuer, which is not known here. */
const shimDefaults = {
  issuer: { name: 'the-default-issuer', kind: 'Issuer', group: 'cert-manager.io' },
  autoCertificateAnnotations: ['kubernetes.io/tls-acme'],
  extraCertificateAnnotations: [],
};

/** What the controllers say of the objects: of annotations that ask for certificates, of Certificates and of issuers. */
export function certificateFindings(objects: readonly Declared[]): LintFinding[] {
  return objects.flatMap(declared => {
    const is = (resource: Resource<KubeObject>): boolean =>
      resourceId(declared.resource) === resourceId(resource);
    if (is(ingresses)) return shimFindings(declared);
    if (is(certificates)) return ofCertificate(declared);
    if (is(issuers) || is(clusterIssuers)) return issuerFindings(declared);
    return [];
  });
}

function shimFindings(declared: Declared): LintFinding[] {
  let problems: readonly string[];
  try {
    const decision = decideCertificates(declared.object, [], shimDefaults);
    problems = decision.kind === 'ignore' ? [] : decision.problems;
  } catch {
    // Of no form of its kind: the schema has said so.
    return [];
  }
  return problems.map(message => {
    const key = /^[a-z0-9.-]+\/[\w.-]+/.exec(message)?.[0];
    const field =
      key === undefined
        ? (/^spec[\w.[\]]*/.exec(message)?.[0] ?? '')
        : `metadata.annotations[${JSON.stringify(key)}]`;
    return findingAt(
      declared,
      'refused',
      field,
      'BadConfig',
      `${message}. Until then no Certificate is made`,
    );
  });
}

/** What the schema cannot say. */
function ofCertificate(declared: Declared): LintFinding[] {
  try {
    return certificateProblems(declared.object as Certificate).map(({ field, message }) =>
      findingAt(declared, 'refused', field, 'InvalidCertificate', message),
    );
  } catch {
    return [];
  }
}

function issuerFindings(declared: Declared): LintFinding[] {
  const spec: Partial<Issuer['spec']> = (declared.object as Issuer).spec ?? {};
  const findings: LintFinding[] = [];
  for (const type of ['vault', 'venafi'] as const) {
    if (spec[type] === undefined) continue;
    const message = `spec.${type} is accepted and signs nothing: use acme, ca or selfSigned, or an external issuer`;
    findings.push(findingAt(declared, 'refused', `spec.${type}`, 'IssuerNotSupported', message));
  }
  const { acme } = spec;
  for (const [index, solver] of (acme?.solvers ?? []).entries()) {
    for (const message of oneSolverProblems(solver, index)) {
      const kind = solver.dns01 === undefined ? 'http01' : 'dns01';
      const field = `spec.acme.solvers[${index}].${kind}`;
      const text = `${message.replace(/\.$/, '')}. Names that it is for, wildcards among them, get no certificate`;
      findings.push(findingAt(declared, 'refused', field, 'SolverNotSupported', text));
    }
    for (const ignored of ['podTemplate', 'serviceType'] as const) {
      if (solver.http01?.ingress?.[ignored] === undefined) continue;
      const field = `spec.acme.solvers[${index}].http01.ingress.${ignored}`;
      findings.push(
        findingAt(
          declared,
          'note',
          field,
          'Differs',
          `${field} has no effect: challenges are answered without pods of their own`,
        ),
      );
    }
  }
  return findings;
}
