import type { Problem } from '../problem.ts';
import { problemsOf } from '../schema-problems.ts';
import { type Certificate, certificateSpecSchema } from './certificate.ts';

/**
 * What is wrong with a Certificate's spec; nothing where it can be issued. The API server refuses most of
 * it already, by schema and CEL; Kubernetes below 1.25 runs no CEL, and CEL has no means for some of it.
 */
export function certificateProblems(certificate: Pick<Certificate, 'spec'>): Problem[] {
  return problemsOf(certificateSpecSchema, certificate.spec, ['spec']);
}
