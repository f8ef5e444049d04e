import { encodePrivateKey, generatePrivateKey } from '../../pki/private-key.ts';
import { selfSign } from '../../pki/sign.ts';
import { subjectName } from '../../pki/subject.ts';

/** A certificate chain and its key, both in PEM. */
export interface CertificateWithKey {
  readonly chain: string;
  readonly key: string;
}

const dayMs = 24 * 3_600_000;

/**
 * Makes the certificate for names that no Secret covers. It is signed by itself and for a name that cannot exist
 * (RFC 2606), so no client takes it for the site's own. A process does not live as long as it does.
 */
export async function makeDefaultCertificate(nowMs: number): Promise<CertificateWithKey> {
  const key = await generatePrivateKey({ algorithm: 'ECDSA', size: 256 });
  const chain = await selfSign({
    key,
    subject: subjectName({ commonName: 'Postern default certificate' }),
    dnsNames: ['default-certificate.postern.invalid'],
    usages: ['digital signature', 'server auth'],
    notBeforeMs: nowMs - dayMs,
    notAfterMs: nowMs + 10 * 365 * dayMs,
  });
  return { chain, key: encodePrivateKey(key, 'PKCS8') };
}
