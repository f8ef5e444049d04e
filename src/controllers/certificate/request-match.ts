import { isDeepStrictEqual } from 'node:util';
import type { Certificate } from '../../api/cert-manager/certificate.ts';
import type { CertificateRequest } from '../../api/cert-manager/certificate-request.ts';
import { defaultDuration } from '../../api/cert-manager/certificate-times.ts';
import { type IssuerRef, sameIssuer } from '../../api/cert-manager/issuer-ref.ts';
import { parseDuration } from '../../core/duration.ts';
import { type CsrInfo, parseCsr } from '../../pki/csr.ts';
import { csrMismatch } from '../../pki/csr-match.ts';
import { effectiveUsages } from '../../pki/key-usage.ts';
import { wantedContent } from './wanted.ts';

/** The CSR in a request. Throws a PkiError where it is none. */
export function csrOf(request: CertificateRequest): CsrInfo {
  return parseCsr(Buffer.from(request.spec.request, 'base64').toString());
}

/**
 * The fields of the spec that a request was not made from; none where it asks for what the spec asks for. It may ask any
 * of `issuers`.
 */
export function changedFields(
  request: CertificateRequest,
  csr: CsrInfo,
  { spec }: Certificate,
  issuers: readonly IssuerRef[],
): string[] {
  const issuer = issuers.some(each => sameIssuer(request.spec.issuerRef, each));
  const duration = durationMs(request.spec) === durationMs(spec);
  const isCA = (request.spec.isCA ?? false) === (spec.isCA ?? false);
  const usages = isDeepStrictEqual(usagesOf(request.spec), usagesOf(spec));
  const fields = [
    ...(issuer ? [] : ['spec.issuerRef']),
    ...(duration ? [] : ['spec.duration']),
    ...(isCA ? [] : ['spec.isCA']),
    ...(usages ? [] : ['spec.usages']),
    ...csrMismatch(csr, wantedContent({ spec })),
  ];
  return [...new Set(fields)];
}

function durationMs({ duration = defaultDuration }: { duration?: string | undefined }): number | undefined {
  return parseDuration(duration);
}

function usagesOf(spec: CertificateRequest['spec'] | Certificate['spec']): string[] {
  return effectiveUsages(spec.usages, spec.isCA === true).toSorted();
}
