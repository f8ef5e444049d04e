import {
  altNamesAnnotation,
  certificateNameAnnotation,
  commonNameAnnotation,
  ipSansAnnotation,
  issuerGroupAnnotation,
  issuerKindAnnotation,
  issuerNameAnnotation,
  uriSansAnnotation,
} from '../../api/annotations.ts';
import type { Certificate } from '../../api/cert-manager/certificate.ts';
import { issuerRefOf } from '../../api/cert-manager/issuer-ref.ts';
import {
  type Secret,
  tlsCaKey,
  tlsCertificateKey,
  tlsPrivateKeyKey,
  tlsSecretType,
} from '../../api/kubernetes/secret.ts';
import { controlledSecretLabel } from '../../api/labels.ts';
import type { OwnerReference } from '../../api/meta.ts';
import { type CertificateInfo, parseCertificate } from '../../pki/certificate.ts';

/** A key with the certificate chain that belongs to it, all PEM. */
export interface KeyPair {
  readonly privateKey: string;
  readonly chain: string;
  readonly ca: string | undefined;
}

/** Annotations and labels that say where the content of the Secret comes from, and those of secretTemplate. */
export function secretMetadata(
  certificate: Certificate,
  leaf: CertificateInfo,
): { annotations: Record<string, string>; labels: Record<string, string> } {
  const issuer = issuerRefOf(certificate.spec.issuerRef);
  return {
    annotations: {
      ...certificate.spec.secretTemplate?.annotations,
      [certificateNameAnnotation]: certificate.metadata.name ?? '',
      [issuerNameAnnotation]: issuer.name,
      [issuerKindAnnotation]: issuer.kind,
      [issuerGroupAnnotation]: issuer.group,
      [commonNameAnnotation]: leaf.commonName ?? '',
      [altNamesAnnotation]: leaf.dnsNames.join(','),
      [ipSansAnnotation]: leaf.ipAddresses.join(','),
      [uriSansAnnotation]: leaf.uris.join(','),
    },
    labels: { ...certificate.spec.secretTemplate?.labels, [controlledSecretLabel]: 'true' },
  };
}

/**
 * The Secret as it should be with this pair in it. What others put there (labels, annotations, further data,
 * a type of their own) stays. `owner`: with --enable-certificate-owner-ref.
 */
export function secretWith(
  certificate: Certificate,
  current: Secret | undefined,
  pair: KeyPair,
  owner?: OwnerReference,
): Secret {
  const metadata = secretMetadata(certificate, parseCertificate(pair.chain));
  const owners = current?.metadata.ownerReferences ?? [];
  const { [tlsCaKey]: _oldCa, ...data } = current?.data ?? {};
  return {
    ...(current ?? { apiVersion: 'v1', kind: 'Secret', type: tlsSecretType }),
    metadata: {
      ...(current?.metadata ?? {
        name: certificate.spec.secretName,
        namespace: certificate.metadata.namespace,
      }),
      annotations: { ...current?.metadata.annotations, ...metadata.annotations },
      labels: { ...current?.metadata.labels, ...metadata.labels },
      ...(owner !== undefined && {
        ownerReferences: [...owners.filter(other => other.uid !== owner.uid), owner],
      }),
    },
    data: {
      ...data,
      [tlsPrivateKeyKey]: encoded(pair.privateKey),
      [tlsCertificateKey]: encoded(pair.chain),
      ...(pair.ca !== undefined && { [tlsCaKey]: encoded(pair.ca) }),
    },
  };
}

/** Whether the Secret bears all the labels and annotations it should. */
export function hasMetadata(secret: Secret, wanted: ReturnType<typeof secretMetadata>): boolean {
  return (
    Object.entries(wanted.annotations).every(
      ([name, value]) => secret.metadata.annotations?.[name] === value,
    ) && Object.entries(wanted.labels).every(([name, value]) => secret.metadata.labels?.[name] === value)
  );
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64');
}
