import type { KeyObject } from 'node:crypto';
import {
  certificateNameAnnotation,
  certificateRevisionAnnotation,
  privateKeySecretNameAnnotation,
  uncopiedAnnotationPrefixes,
} from '../../api/annotations.ts';
import { type Certificate, certificates } from '../../api/cert-manager/certificate.ts';
import { type CertificateRequest, certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import type { OwnerReference } from '../../api/meta.ts';
import { apiVersionOf } from '../../api/resource.ts';
import { createCsr } from '../../pki/csr.ts';
import { requestNameFor } from './names.ts';
import { wantedContent } from './wanted.ts';

/** The owner reference by which what a Certificate needs goes with it. */
export function ownedBy(certificate: Certificate): OwnerReference {
  return {
    apiVersion: apiVersionOf(certificates),
    kind: certificates.kind,
    name: certificate.metadata.name ?? '',
    uid: certificate.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** The request for one revision of a Certificate, with a CSR made with `key`. */
export async function requestFor(
  certificate: Certificate,
  revision: number,
  key: KeyObject,
  keySecretName: string,
): Promise<CertificateRequest> {
  const { spec, metadata } = certificate;
  const copied = Object.entries(metadata.annotations ?? {}).filter(
    ([name]) => !uncopiedAnnotationPrefixes.some(prefix => name.startsWith(prefix)),
  );
  const csr = await createCsr({ ...wantedContent(certificate), key });
  return {
    apiVersion: apiVersionOf(certificateRequests),
    kind: certificateRequests.kind,
    metadata: {
      name: requestNameFor(metadata.name ?? '', revision),
      namespace: metadata.namespace,
      ...(metadata.labels !== undefined && { labels: metadata.labels }),
      annotations: {
        ...Object.fromEntries(copied),
        [certificateNameAnnotation]: metadata.name ?? '',
        [certificateRevisionAnnotation]: String(revision),
        [privateKeySecretNameAnnotation]: keySecretName,
      },
      ownerReferences: [ownedBy(certificate)],
    },
    spec: {
      issuerRef: spec.issuerRef,
      request: Buffer.from(csr).toString('base64'),
      ...(spec.duration !== undefined && { duration: spec.duration }),
      ...(spec.isCA !== undefined && { isCA: spec.isCA }),
      ...(spec.usages !== undefined && { usages: spec.usages }),
    },
  };
}
