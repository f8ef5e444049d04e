import type { KeyObject } from 'node:crypto';
import {
  certificateNameAnnotation,
  certificateRevisionAnnotation,
  privateKeySecretNameAnnotation,
  replacesAnnotation,
  uncopiedAnnotationPrefixes,
} from '../../api/annotations.ts';
import { type Certificate, certificates } from '../../api/cert-manager/certificate.ts';
import { type CertificateRequest, certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import { type IssuerRef, sameIssuer } from '../../api/cert-manager/issuer-ref.ts';
import { apiVersionOf } from '../../api/resource.ts';
import { ownedBy } from '../../issuers/owned-by.ts';
import { createCsr } from '../../pki/csr.ts';
import { attemptAnnotation } from './failure.ts';
import { issuerOfAttempt } from './issuer-turn.ts';
import { requestNameFor } from './names.ts';
import { attemptOf, revisionOf } from './state.ts';
import { wantedContent } from './wanted.ts';

/** The issuer whose turn it is. That of the spec as it is written there, for those who compare the two. */
function issuerOf(certificate: Certificate): IssuerRef {
  const issuer = issuerOfAttempt(certificate, attemptOf(certificate));
  const { issuerRef } = certificate.spec;
  return sameIssuer(issuer, issuerRef) ? issuerRef : issuer;
}

/**
 * The request for the next revision of a Certificate, with a CSR made with `key`. Throws a PkiError for what no CSR can say.
 * `replaces` is the CertID of the certificate that the new one takes the place of.
 */
export async function requestFor(
  certificate: Certificate,
  key: KeyObject,
  keySecretName: string,
  replaces?: string,
): Promise<CertificateRequest> {
  const { spec, metadata } = certificate;
  const revision = revisionOf(certificate) + 1;
  const copied = Object.entries(metadata.annotations ?? {}).filter(
    ([name]) =>
      name !== replacesAnnotation && !uncopiedAnnotationPrefixes.some(prefix => name.startsWith(prefix)),
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
        [attemptAnnotation]: String(attemptOf(certificate)),
        ...(replaces !== undefined && { [replacesAnnotation]: replaces }),
      },
      ownerReferences: [ownedBy(certificate, certificates)],
    },
    spec: {
      issuerRef: issuerOf(certificate),
      request: Buffer.from(csr).toString('base64'),
      ...(spec.duration !== undefined && { duration: spec.duration }),
      ...(spec.isCA !== undefined && { isCA: spec.isCA }),
      ...(spec.usages !== undefined && { usages: spec.usages }),
    },
  };
}
