import { defaultDuration } from '../api/cert-manager/certificate-times.ts';
import { parseDuration } from '../core/duration.ts';
import type { SignRequest } from './issuer.ts';

/** Clocks differ a little: a certificate is valid from shortly before it was made. */
const backdatedMs = 60_000;

/** What a CA puts into the certificate: what the CSR names, and what the request's spec allows. */
export function contentOf({ request, csr }: SignRequest) {
  return {
    subject: csr.subject,
    dnsNames: csr.dnsNames,
    ipAddresses: csr.ipAddresses,
    uris: csr.uris,
    emailAddresses: csr.emailAddresses,
    otherNames: csr.otherNames,
    nameConstraints: csr.nameConstraints,
    publicKey: csr.publicKey,
    isCA: request.spec.isCA ?? false,
    usages: request.spec.usages,
  };
}

/** The lifetime that the request asks for; never beyond that of its signer. */
export function validityFor(
  { request }: SignRequest,
  nowMs: number,
  signer: { readonly notBeforeMs: number; readonly notAfterMs: number } = {
    notBeforeMs: Number.NEGATIVE_INFINITY,
    notAfterMs: Number.POSITIVE_INFINITY,
  },
): { notBeforeMs: number; notAfterMs: number } {
  const lifetimeMs = parseDuration(request.spec.duration ?? defaultDuration) ?? 0;
  return {
    notBeforeMs: Math.max(nowMs - backdatedMs, signer.notBeforeMs),
    notAfterMs: Math.min(nowMs + lifetimeMs, signer.notAfterMs),
  };
}
