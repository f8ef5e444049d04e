import { issueTemporaryCertificateAnnotation } from '../../api/annotations.ts';
import { tlsPrivateKeyKey } from '../../api/kubernetes/secret.ts';
import type { CertificateInfo } from '../../pki/certificate.ts';
import { encodePrivateKey, parsePrivateKey } from '../../pki/private-key.ts';
import { selfSign } from '../../pki/sign.ts';
import { subjectName } from '../../pki/subject.ts';
import type { KeyPair } from './secret.ts';
import type { CertificateState } from './state.ts';
import { secretText } from './stored-pair.ts';
import { wantedContent } from './wanted.ts';

/** The serial number by which cert-manager, and so Postern, knows a temporary certificate: 0x1234567890. */
export const temporarySerialNumber = '1234567890';

/** How long a temporary certificate lives; a signed one replaces it within seconds. */
export const temporaryLifetimeMs = 90 * 24 * 3_600_000;

/** Whether a certificate is only a stand-in until the signed one comes. */
export function isTemporary(leaf: CertificateInfo): boolean {
  return leaf.serialNumber.toLowerCase().replace(/^0+/, '') === temporarySerialNumber;
}

/** Whether a stand-in is asked for, and there is nothing in the Secret that could be served. */
export function needsTemporary({ certificate, nextKey, pair }: CertificateState): boolean {
  const isAskedFor = certificate.metadata.annotations?.[issueTemporaryCertificateAnnotation] === 'true';
  return isAskedFor && nextKey !== undefined && pair?.fit.verdict !== 'fits';
}

/** A self-signed pair made with the key of the issuance under way. */
export async function temporaryPair(
  { certificate, nextKey }: CertificateState,
  nowMs: number,
): Promise<KeyPair> {
  const key = parsePrivateKey((nextKey && secretText(nextKey, tlsPrivateKeyKey)) ?? '');
  const content = wantedContent(certificate);
  const chain = await selfSign({
    ...content,
    subject: subjectName(content),
    key,
    notBeforeMs: nowMs,
    notAfterMs: nowMs + temporaryLifetimeMs,
    serialNumber: temporarySerialNumber,
  });
  const privateKey = encodePrivateKey(key, certificate.spec.privateKey?.encoding);
  return { privateKey, chain, ca: undefined };
}
