import { z } from 'zod';
import { requiredText } from '../fields.ts';
import { withRules } from '../rules.ts';

/** A reference to the Issuer, the ClusterIssuer or the kind of another group that signs. */
export const issuerRefSchema = withRules(
  z.object({
    name: requiredText().describe('Name of the issuer.'),
    kind: z.string().describe('Kind of the issuer; Issuer where absent.').optional(),
    group: z.string().describe('API group of the issuer; cert-manager.io where absent.').optional(),
  }),
  {
    field: 'kind',
    message: 'must be Issuer or ClusterIssuer: for an issuer of another kind, set group to its API group',
    holds: ({ kind = '', group = '' }) =>
      !['', 'cert-manager.io'].includes(group) || ['', 'Issuer', 'ClusterIssuer'].includes(kind),
    cel: "(has(self.group) && !(self.group in ['', 'cert-manager.io'])) || !has(self.kind) || self.kind in ['', 'Issuer', 'ClusterIssuer']",
  },
);

export type IssuerRef = z.infer<typeof issuerRefSchema>;

/** An issuerRef with nothing left open. */
export interface FullIssuerRef {
  readonly name: string;
  readonly kind: string;
  readonly group: string;
}

/** The group whose issuers are signed for in this process. */
export const certManagerGroup = 'cert-manager.io';

/**
 * The reference with its defaults: kind `Issuer`, group `cert-manager.io`. They are applied here and not
 * in the CRD, so that a manifest stays as it was written and compares equal with what made it.
 */
export function issuerRefOf(ref: IssuerRef): FullIssuerRef {
  return {
    name: ref.name,
    kind: ref.kind === undefined || ref.kind === '' ? 'Issuer' : ref.kind,
    group: ref.group === undefined || ref.group === '' ? certManagerGroup : ref.group,
  };
}

/** Whether two references mean the same issuer. */
export function sameIssuer(a: IssuerRef, b: IssuerRef): boolean {
  const left = issuerRefOf(a);
  const right = issuerRefOf(b);
  return left.name === right.name && left.kind === right.kind && left.group === right.group;
}

/** That an issuer is not there, and what to do: said by a condition and by `postern status` in the same words. */
export function missingIssuerText(ref: IssuerRef, namespace: string): string {
  const { kind, name } = issuerRefOf(ref);
  const where = kind === 'Issuer' ? ` in namespace ${JSON.stringify(namespace)}` : '';
  return `There is no ${kind} ${JSON.stringify(name)}${where}; create it, or name another one.`;
}

/** Whether the reference is to an Issuer or ClusterIssuer of cert-manager.io, and not to another controller's. */
export function isInTreeIssuer(ref: IssuerRef): boolean {
  const { kind, group } = issuerRefOf(ref);
  return group === certManagerGroup && (kind === 'Issuer' || kind === 'ClusterIssuer');
}
