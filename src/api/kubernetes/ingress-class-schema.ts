import { z } from 'zod';
import { objectMeta } from '../fields.ts';
import { type Problem, problemAt } from '../problem.ts';
import { immutableMessage } from '../rules.ts';
import { isDnsSubdomain } from '../syntax.ts';
import type { IngressClass } from './ingress-class.ts';

/** A domain, "/", and a path: `postern.dev/ingress`. */
function isDomainPrefixedPath(text: string): boolean {
  const slash = text.indexOf('/');
  return (
    text.length <= 250 &&
    slash > 0 &&
    isDnsSubdomain(text.slice(0, slash)) &&
    /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(text.slice(slash + 1))
  );
}

export const ingressClassSchema = z.looseObject({
  apiVersion: z.string().optional(),
  kind: z.string().optional(),
  metadata: objectMeta,
  spec: z.looseObject({
    controller: z.string().refine(isDomainPrefixedPath, {
      error: 'must be a domain and a path such as "postern.dev/ingress"',
    }),
    parameters: z.looseObject({ kind: z.string().min(1), name: z.string().min(1) }).optional(),
  }),
});

/** What a change of an IngressClass may not do. */
export function ingressClassUpdateProblems(before: IngressClass, after: IngressClass): Problem[] {
  if (before.spec?.controller === after.spec?.controller) return [];
  return [problemAt(after, ['spec', 'controller'], immutableMessage)];
}
