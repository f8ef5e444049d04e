import { issueTemporaryCertificateAnnotation } from '../../api/annotations.ts';
import type { Certificate } from '../../api/cert-manager/certificate.ts';
import { tlsCertificateKey, tlsPrivateKeyKey } from '../../api/kubernetes/secret.ts';
import type { CertificateInfo } from '../../pki/certificate.ts';
import { keyFitsCertificate } from '../../pki/key-pair.ts';
import { encodePrivateKey, parsePrivateKey } from '../../pki/private-key.ts';
import { selfSign } from '../../pki/sign.ts';
import { subjectName } from '../../pki/subject.ts';
import type { KeyPair } from './secret.ts';
import { type CertificateState, secretValue } from './state.ts';
import { wantedContent } from './wanted.ts';

/** The serial number by which cert-manager, and so Postern, knows a temporary certificate: 0x1234567890. */
export const temporarySerialNumber = '1234567890';

/** How long a temporary certificate lives; a signed one replaces it within seconds. */
export const temporaryLifetimeMs = 90 * 24 * 3_600_000;

/** Whether a certificate is only a stand-in until the signed one comes. */
export function isTemporary(leaf: CertificateInfo): boolean {
  return leaf.serialNumber.toLowerCase().replace(/^0+/, '') === temporarySerialNumber;
}

/** Whether a Certificate asks for a stand-in. */
export function wantsTemporary(certificate: Certificate): boolean {
  return certificate.metadata.annotations?.[issueTemporaryCertificateAnnotation] === 'true';
}

/** Whether a stand-in is asked for, and there is nothing in the Secret that could be served. */
export function needsTemporary(state: CertificateState): boolean {
  if (!wantsTemporary(state.certificate) || state.nextKey === undefined) return false;
  if (state.secret === undefined) return true;
  const key = secretValue(state.secret, tlsPrivateKeyKey)?.toString() ?? '';
  const chain = secretValue(state.secret, tlsCertificateKey)?.toString() ?? '';
  return keyFitsCertificate(key, chain).verdict !== 'fits';
}

/** A self-signed pair made with the key of the issuance under way. */
export async function temporaryPair(state: CertificateState, nowMs: number): Promise<KeyPair> {
  const { certificate } = state;
  const key = parsePrivateKey((state.nextKey && secretValue(state.nextKey, tlsPrivateKeyKey)) ?? '');
  const chain = await selfSign({
    ...wantedContent(certificate),
    subject: subjectName(wantedContent(certificate)),
    key,
    notBeforeMs: nowMs,
    notAfterMs: nowMs + temporaryLifetimeMs,
    serialNumber: temporarySerialNumber,
  });
  return {
    privateKey: encodePrivateKey(key, certificate.spec.privateKey?.encoding ?? 'PKCS1'),
    chain,
    ca: undefined,
  };
}
