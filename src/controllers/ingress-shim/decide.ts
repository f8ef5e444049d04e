import type { Certificate } from '../../api/cert-manager/certificate.ts';
import { certificateProblems } from '../../api/cert-manager/certificate-validation.ts';
import type { Ingress, IngressTls } from '../../api/kubernetes/ingress.ts';
import { foregroundDeletionFinalizer } from '../../api/labels.ts';
import { controllerOf } from '../../api/meta.ts';
import { asksForCertificate, issuerFor, type ShimDefaults } from './issuer.ts';
import { othersCertificateProblems } from './others-certificate.ts';
import { readAnnotations } from './read-annotations.ts';
import { certificateFor, withWanted } from './wanted.ts';

/** What to do about the Certificates of one Ingress. */
export type ShimDecision =
  | { readonly kind: 'ignore' }
  /** The Ingress as a whole is not to be acted on; `problems` say why, for one event. */
  | { readonly kind: 'refuse'; readonly problems: readonly string[] }
  | {
      readonly kind: 'sync';
      readonly create: readonly Certificate[];
      readonly update: readonly Certificate[];
      readonly remove: readonly Certificate[];
      /** What is wrong with single entries of spec.tls, for one event; the other entries go on. */
      readonly problems: readonly string[];
    };

/**
 * Compares what an Ingress asks for with the Certificates that are there. `existing` are the Certificates
 * of its namespace that it controls, or that bear the name of one of its Secrets.
 * Source: cert-manager documentation, "Securing Ingress Resources".
 */
export function decideCertificates(
  ingress: Ingress,
  existing: readonly Certificate[],
  defaults: ShimDefaults,
): ShimDecision {
  if (isBeingDeleted(ingress) || !asksForCertificate(ingress, defaults)) return { kind: 'ignore' };

  const issuer = issuerFor(ingress, defaults);
  const annotations = readAnnotations(ingress, defaults.extraCertificateAnnotations);
  const entries = ingress.spec?.tls ?? [];
  const repeated = repeatedSecretNames(entries).map(
    name =>
      `spec.tls names the Secret ${JSON.stringify(name)} in more than one entry; give each entry a secretName of its own`,
  );
  const refusals = [...('problems' in issuer ? issuer.problems : []), ...annotations.problems, ...repeated];
  if ('problems' in issuer || refusals.length > 0) return { kind: 'refuse', problems: refusals };

  const problems: string[] = [];
  const wanted = entries.flatMap((entry, index) => {
    const certificate = certificateFor(ingress, entry, issuer, annotations);
    const found = entryProblems(entry, index);
    // What no API server and no issuer would take is said on the Ingress, where it comes from.
    if (found.length === 0) found.push(...certificateProblems(certificate).map(({ message }) => message));
    const current = existing.find(({ metadata }) => metadata.name === certificate.metadata.name);
    const others = current === undefined || isOwnedBy(current, ingress) ? undefined : current;
    if (found.length === 0 && others !== undefined)
      found.push(...othersCertificateProblems(others, entry.hosts ?? [], index));
    problems.push(...found);
    return found.length === 0 ? [certificate] : [];
  });
  const secretNames = new Set(entries.map(entry => entry.secretName));
  const create: Certificate[] = [];
  const update: Certificate[] = [];
  for (const certificate of wanted) {
    const current = existing.find(other => other.metadata.name === certificate.metadata.name);
    if (current === undefined) create.push(certificate);
    else if (isOwnedBy(current, ingress) && current.metadata.deletionTimestamp === undefined) {
      const updated = withWanted(current, certificate, defaults.extraCertificateAnnotations);
      if (updated !== undefined) update.push(updated);
    }
  }
  const remove = existing.filter(
    certificate =>
      isOwnedBy(certificate, ingress) &&
      certificate.metadata.deletionTimestamp === undefined &&
      !secretNames.has(certificate.spec.secretName),
  );
  return { kind: 'sync', create, update, remove, problems };
}

function isBeingDeleted(ingress: Ingress): boolean {
  return (
    ingress.metadata.deletionTimestamp !== undefined ||
    (ingress.metadata.finalizers ?? []).includes(foregroundDeletionFinalizer)
  );
}

function repeatedSecretNames(entries: readonly IngressTls[]): string[] {
  const names = entries.map(entry => entry.secretName ?? '').filter(name => name !== '');
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}

function entryProblems(entry: IngressTls, index: number): string[] {
  const problems: string[] = [];
  if ((entry.hosts ?? []).length === 0) {
    problems.push(`spec.tls[${index}].hosts is empty; list the names that the certificate is for`);
  }
  if ((entry.secretName ?? '') === '') {
    problems.push(`spec.tls[${index}].secretName is empty; name the Secret that the certificate goes to`);
  }
  return problems;
}

function isOwnedBy(certificate: Certificate, ingress: Ingress): boolean {
  const owner = controllerOf(certificate);
  return owner?.kind === 'Ingress' && owner.uid === ingress.metadata.uid;
}
