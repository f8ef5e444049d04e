import type { Secret } from '../../api/kubernetes/secret.ts';
import { quoted } from '../../issuers/sentence.ts';
import type { Violation } from './checks.ts';

/** Reason of the Ready condition where a certificate cannot be written into the Secret that is there. */
export const unusableSecretReason = 'UnusableSecret';

/** Types of Secrets that are other programs' own, and never hold a certificate. */
export const foreignSecretTypes: ReadonlySet<string> = new Set([
  'helm.sh/release.v1',
  'kubernetes.io/service-account-token',
  'kubernetes.io/dockercfg',
  'kubernetes.io/dockerconfigjson',
  'bootstrap.kubernetes.io/token',
]);

/** Another program's Secret is never written to, whoever names it. */
export function foreignSecret({ metadata, type = '' }: Secret): Violation | undefined {
  if (!foreignSecretTypes.has(type)) return undefined;
  return {
    reason: unusableSecretReason,
    message: `Secret ${quoted(metadata.name)} of spec.secretName is of type ${type}, which holds no certificate; name another Secret.`,
  };
}

/** What is immutable can only be read. */
export function immutableSecret({ metadata, immutable }: Secret): Violation | undefined {
  if (immutable !== true) return undefined;
  return {
    reason: unusableSecretReason,
    message: `Secret ${quoted(metadata.name)} of spec.secretName is immutable; delete it, or name another Secret.`,
  };
}
