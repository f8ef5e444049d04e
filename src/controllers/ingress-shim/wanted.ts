import { sourceIngressClassAnnotation } from '../../api/annotations.ts';
import { type Certificate, type CertificateSpec, certificates } from '../../api/cert-manager/certificate.ts';
import { defaultKeyUsages } from '../../api/cert-manager/key-usage.ts';
import { type Ingress, type IngressTls, ingresses } from '../../api/kubernetes/ingress.ts';
import { ingressClassOf } from '../../api/kubernetes/ingress-class.ts';
import { applySetPartOfLabel } from '../../api/labels.ts';
import { apiVersionOf } from '../../api/resource.ts';
import { isIpAddress } from '../../api/syntax.ts';
import { sameJson } from '../../core/same-json.ts';
import { ownedBy } from '../../issuers/owned-by.ts';
import { canonicalIp } from '../../pki/ip-address.ts';
import { type CertificateDraft, certificateAnnotations } from './certificate-annotations.ts';
import type { WantedIssuer } from './issuer.ts';

/** The fields of the spec that the Ingress decides, whether it has an annotation for them or not. */
const decidedFields: readonly string[] = [
  'secretName',
  'issuerRef',
  'dnsNames',
  'ipAddresses',
  'usages',
  ...certificateAnnotations.flatMap(({ field }) => field?.split('.', 1) ?? []),
];

/** The annotations of the Certificate that the Ingress decides, beside those that are copied. */
const decidedAnnotations: readonly string[] = [
  sourceIngressClassAnnotation,
  ...certificateAnnotations.flatMap(({ targets }) => targets),
];

/** The Certificate that one entry of spec.tls asks for. */
export function certificateFor(
  ingress: Ingress,
  entry: IngressTls,
  issuer: WantedIssuer,
  draft: CertificateDraft,
): Certificate {
  const hosts = entry.hosts ?? [];
  const dnsNames = unique(
    [...hosts.filter(host => !isIpAddress(host)), ...(draft.spec.dnsNames ?? [])],
    name => name.toLowerCase(),
  );
  const ipAddresses = unique([...hosts.filter(isIpAddress), ...(draft.spec.ipAddresses ?? [])], canonicalIp);
  const { [applySetPartOfLabel]: _applySet, ...labels } = ingress.metadata.labels ?? {};
  const own = ingressClassOf(ingress).name;
  const annotations = { ...draft.annotations, ...(own ? { [sourceIngressClassAnnotation]: own } : {}) };
  const spec: CertificateSpec = {
    usages: [...defaultKeyUsages],
    ...draft.spec,
    secretName: entry.secretName ?? '',
    issuerRef: { name: issuer.name, kind: issuer.kind, group: issuer.group },
    dnsNames,
    ipAddresses,
  };
  if (dnsNames.length === 0) delete spec.dnsNames;
  if (ipAddresses.length === 0) delete spec.ipAddresses;
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
    spec,
  };
}

/** The first of those with the same `key`, in their order. */
function unique(names: readonly string[], key: (name: string) => string | undefined): string[] {
  const seen = new Set<string | undefined>();
  return names.filter(name => !seen.has(key(name)) && seen.add(key(name)));
}

/**
 * `current` with all that the Ingress decides as it is in `wanted`, or undefined where it is so already. Nothing has to
 * be remembered to take back what the Ingress says no more: the labels, the fields of the table, its annotations and
 * those of `extra` (--extra-certificate-annotations) are as the Ingress has them; everything else stays.
 */
export function withWanted(
  current: Certificate,
  wanted: Certificate,
  extra: readonly string[],
): Certificate | undefined {
  const { metadata } = current;
  const annotations = without(metadata.annotations ?? {}, [...decidedAnnotations, ...extra]);
  const partOf = metadata.labels?.[applySetPartOfLabel];
  const updated: Certificate = {
    ...current,
    metadata: {
      ...metadata,
      labels: {
        ...wanted.metadata.labels,
        ...(partOf !== undefined && { [applySetPartOfLabel]: partOf }),
      },
      annotations: { ...annotations, ...wanted.metadata.annotations },
    },
    spec: { ...without(current.spec, decidedFields), ...wanted.spec },
  };
  return isSame(current, updated) ? undefined : updated;
}

function without<T extends object>(object: T, keys: readonly string[]): T {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key))) as T;
}

function isSame(a: Certificate, b: Certificate): boolean {
  return (
    sameJson(a.spec, b.spec) &&
    sameJson(a.metadata.labels ?? {}, b.metadata.labels ?? {}) &&
    sameJson(a.metadata.annotations ?? {}, b.metadata.annotations ?? {})
  );
}
