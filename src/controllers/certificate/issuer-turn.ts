import { issuerGroupAnnotation, issuerKindAnnotation, issuerNameAnnotation } from '../../api/annotations.ts';
import type { Certificate } from '../../api/cert-manager/certificate.ts';
import type { CertificateRequest } from '../../api/cert-manager/certificate-request.ts';
import { issuersOf } from '../../api/cert-manager/fallback-issuers.ts';
import { type FullIssuerRef, issuerRefOf, sameIssuer } from '../../api/cert-manager/issuer-ref.ts';
import type { Secret } from '../../api/kubernetes/secret.ts';
import { quoted } from '../../issuers/sentence.ts';
import { attemptIn } from './failure.ts';

/*
 * The issuers of a Certificate take turns: the try 1 at a revision is the first one's, the try 2 the second one's, and after
 * the last it is the first one's turn again. So the number of failed tries, which the status keeps, is all that has to be
 * remembered; and as a success sets it to 0, each renewal begins with the first.
 */

/** The issuer whose turn the try of this number is; tries are counted from 1. */
export function issuerOfAttempt(certificate: Certificate, attempt: number): FullIssuerRef {
  const issuers = issuersOf(certificate);
  return issuers[(attempt - 1) % issuers.length] ?? issuers[0];
}

/** The issuer that a request is to have been made for; the first one where it is not of our making. */
export function issuerOfRequest(certificate: Certificate, request: CertificateRequest): FullIssuerRef {
  return issuerOfAttempt(certificate, attemptIn(request) ?? 1);
}

/** How often all issuers have been tried in vain; undefined while one is left that has not had its turn. */
export function failedRounds(certificate: Certificate, failedAttempts: number): number | undefined {
  const rounds = failedAttempts / issuersOf(certificate).length;
  return Number.isInteger(rounds) ? rounds : undefined;
}

/** The issuer that has signed what is in a Secret, by its annotations; with an empty name where they do not say. */
export function signerOf(secret: Secret | undefined): FullIssuerRef {
  const annotations = secret?.metadata.annotations ?? {};
  return issuerRefOf({
    name: annotations[issuerNameAnnotation] ?? '',
    kind: annotations[issuerKindAnnotation],
    group: annotations[issuerGroupAnnotation],
  });
}

/** The one of the Certificate's issuers that has signed what is in its Secret; the first where none of them has. */
export function signingIssuer(certificate: Certificate, secret: Secret | undefined): FullIssuerRef {
  const signer = signerOf(secret);
  const issuers = issuersOf(certificate);
  return issuers.find(issuer => sameIssuer(issuer, signer)) ?? issuers[0];
}

/** The Certificate as it would be had it asked the issuer that has signed what it has: that one knows when to renew it. */
export function asSigned(certificate: Certificate, issuer: FullIssuerRef): Certificate {
  return sameIssuer(issuer, certificate.spec.issuerRef)
    ? certificate
    : { ...certificate, spec: { ...certificate.spec, issuerRef: issuer } };
}

/** An issuer in a sentence. */
export function issuerText({ kind, name, group }: FullIssuerRef): string {
  return `${kind} ${quoted(name)} (${group})`;
}
