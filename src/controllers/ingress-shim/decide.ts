import { isIP } from 'node:net';
import {
  http01EditInPlaceAnnotation,
  http01IngressClassAnnotation,
  http01IngressClassNameAnnotation,
  http01OverrideIngressClassAnnotation,
  http01OverrideIngressClassNameAnnotation,
  http01OverrideIngressNameAnnotation,
  issueTemporaryCertificateAnnotation,
  sourceIngressClassAnnotation,
} from '../../api/annotations.ts';
import { type Certificate, certificates } from '../../api/cert-manager/certificate.ts';
import { certificateProblems } from '../../api/cert-manager/certificate-validation.ts';
import { type Ingress, type IngressTls, ingresses } from '../../api/kubernetes/ingress.ts';
import { ingressClassOf } from '../../api/kubernetes/ingress-class.ts';
import { applySetPartOfLabel, foregroundDeletionFinalizer } from '../../api/labels.ts';
import { controllerOf } from '../../api/meta.ts';
import { apiVersionOf } from '../../api/resource.ts';
import { canonicalJson } from '../../core/canonical-json.ts';
import { ownedBy } from '../../issuers/owned-by.ts';
import { asksForCertificate, issuerFor, type ShimDefaults, type WantedIssuer } from './issuer.ts';

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
  if ('problems' in issuer) return { kind: 'refuse', problems: issuer.problems };
  const entries = ingress.spec?.tls ?? [];
  const repeated = repeatedSecretNames(entries);
  if (repeated.length > 0) {
    return {
      kind: 'refuse',
      problems: repeated.map(
        name =>
          `spec.tls names the Secret ${JSON.stringify(name)} in more than one entry; give each entry a secretName of its own`,
      ),
    };
  }

  const problems: string[] = [];
  const wanted = entries.flatMap((entry, index) => {
    const certificate = certificateFor(ingress, entry, issuer, defaults);
    const found = entryProblems(entry, index);
    // What no API server and no issuer would take is said on the Ingress, where it comes from.
    if (found.length === 0) found.push(...certificateProblems(certificate).map(({ message }) => message));
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
      const updated = withWanted(current, certificate);
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

/** The Certificate that one entry of spec.tls asks for. */
function certificateFor(
  ingress: Ingress,
  entry: IngressTls,
  issuer: WantedIssuer,
  defaults: ShimDefaults,
): Certificate {
  const hosts = [...new Set(entry.hosts ?? [])];
  const dnsNames = hosts.filter(host => isIP(host) === 0);
  const ipAddresses = hosts.filter(host => isIP(host) !== 0);
  const { [applySetPartOfLabel]: _applySet, ...labels } = ingress.metadata.labels ?? {};
  const annotations = certificateAnnotations(ingress, defaults);
  return {
    apiVersion: apiVersionOf(certificates),
    kind: certificates.kind,
    metadata: {
      name: entry.secretName,
      namespace: ingress.metadata.namespace,
      ...(Object.keys(labels).length > 0 && { labels }),
      ...(Object.keys(annotations).length > 0 && { annotations }),
      ownerReferences: [ownedBy(ingress, ingresses)],
    },
    spec: {
      secretName: entry.secretName ?? '',
      ...(dnsNames.length > 0 && { dnsNames }),
      ...(ipAddresses.length > 0 && { ipAddresses }),
      issuerRef: { name: issuer.name, kind: issuer.kind, group: issuer.group },
      usages: ['digital signature', 'key encipherment'],
    },
  };
}

/** The annotations that this shim keeps on a Certificate; others there are none of its business. */
const keptAnnotations: readonly string[] = [
  http01OverrideIngressNameAnnotation,
  http01OverrideIngressClassAnnotation,
  http01OverrideIngressClassNameAnnotation,
  sourceIngressClassAnnotation,
  issueTemporaryCertificateAnnotation,
];

function certificateAnnotations(ingress: Ingress, defaults: ShimDefaults): Record<string, string> {
  const from = ingress.metadata.annotations ?? {};
  const result: Record<string, string> = {};
  for (const name of defaults.extraCertificateAnnotations) {
    const value = from[name];
    if (value !== undefined) result[name] = value;
  }
  if (from[http01EditInPlaceAnnotation] === 'true') {
    result[http01OverrideIngressNameAnnotation] = ingress.metadata.name ?? '';
    result[issueTemporaryCertificateAnnotation] = 'true';
  }
  const ingressClass = from[http01IngressClassAnnotation];
  if (ingressClass) result[http01OverrideIngressClassAnnotation] = ingressClass;
  const ingressClassName = from[http01IngressClassNameAnnotation];
  if (ingressClassName) result[http01OverrideIngressClassNameAnnotation] = ingressClassName;
  const own = ingressClassOf(ingress).name;
  if (own) result[sourceIngressClassAnnotation] = own;
  return result;
}

function isOwnedBy(certificate: Certificate, ingress: Ingress): boolean {
  const owner = controllerOf(certificate);
  return owner?.kind === 'Ingress' && owner.uid === ingress.metadata.uid;
}

/** `current` with what the Ingress wants of it, or undefined where it is so already. */
function withWanted(current: Certificate, wanted: Certificate): Certificate | undefined {
  const annotations = { ...current.metadata.annotations };
  for (const name of keptAnnotations) delete annotations[name];
  Object.assign(annotations, wanted.metadata.annotations);
  const labels = { ...current.metadata.labels, ...wanted.metadata.labels };
  const { dnsNames: _dnsNames, ipAddresses: _ipAddresses, ...spec } = current.spec;
  const updated: Certificate = {
    ...current,
    metadata: {
      ...current.metadata,
      ...(Object.keys(labels).length > 0 && { labels }),
      annotations,
    },
    spec: { ...spec, ...wanted.spec },
  };
  return isSame(current, updated) ? undefined : updated;
}

function isSame(a: Certificate, b: Certificate): boolean {
  return (
    canonicalJson(a.spec) === canonicalJson(b.spec) &&
    canonicalJson(a.metadata.labels ?? {}) === canonicalJson(b.metadata.labels ?? {}) &&
    canonicalJson(a.metadata.annotations ?? {}) === canonicalJson(b.metadata.annotations ?? {})
  );
}
