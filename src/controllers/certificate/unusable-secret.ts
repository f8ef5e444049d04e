import { certificateNameAnnotation } from '../../api/annotations.ts';
import type { Certificate } from '../../api/cert-manager/certificate.ts';
import type { Secret } from '../../api/kubernetes/secret.ts';
import { quoted } from '../../issuers/sentence.ts';
import { authorityField } from '../issuer-secrets.ts';
import type { Violation } from './checks.ts';
import type { CertificateState } from './state.ts';

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

/**
 * The key of an issuer is never written over. That of an authority may be this Certificate's own: so an authority is made from
 * nothing, and renewed.
 */
export function issuersSecret({ certificate, secret, issuerUses }: CertificateState): Violation | undefined {
  const isOwn = secret === undefined || isMadeFor(certificate, secret);
  const use = issuerUses.find(({ field }) => field !== authorityField || !isOwn);
  if (use === undefined) return undefined;
  const { metadata } = use.issuer;
  const kind = metadata.namespace === undefined ? 'ClusterIssuer' : 'Issuer';
  return {
    reason: unusableSecretReason,
    message: `Secret ${quoted(certificate.spec.secretName)} of spec.secretName is that of ${kind} ${quoted(metadata.name)} (${use.field}), whose key would be lost; name another Secret.`,
  };
}

function isMadeFor(certificate: Certificate, { metadata }: Secret): boolean {
  return metadata.annotations?.[certificateNameAnnotation] === certificate.metadata.name;
}

/** What is immutable can only be read. */
export function immutableSecret({ metadata, immutable }: Secret): Violation | undefined {
  if (immutable !== true) return undefined;
  return {
    reason: unusableSecretReason,
    message: `Secret ${quoted(metadata.name)} of spec.secretName is immutable; delete it, or name another Secret.`,
  };
}
