import { parseCsr } from '../pki/csr.ts';
import { encodePem } from '../pki/pem.ts';
import { encodePrivateKey, generatePrivateKey } from '../pki/private-key.ts';
import { selfSign, signCertificate } from '../pki/sign.ts';
import { subjectName } from '../pki/subject.ts';

/** A certificate authority for tests, valid for ten years from a day before it was made. */
export interface TestAuthority {
  /** PEM. */
  readonly certificate: string;
  readonly privateKey: string;
  /** Signs a CSR (DER) for 90 days; gives the chain, PEM. */
  sign(csr: Buffer, nowMs: number): Promise<string>;
}

const dayMs = 24 * 3_600_000;

export async function createAuthority(
  commonName: string,
  nowMs: number,
  lifetimeMs = 3_650 * dayMs,
): Promise<TestAuthority> {
  const key = await generatePrivateKey({ algorithm: 'ECDSA' });
  const certificate = await selfSign({
    subject: subjectName({ commonName }),
    isCA: true,
    notBeforeMs: nowMs - dayMs,
    notAfterMs: nowMs + lifetimeMs,
    key,
  });
  return {
    certificate,
    privateKey: encodePrivateKey(key),
    sign(csr, atMs) {
      const { subject, dnsNames, ipAddresses, publicKey } = parseCsr(encodePem('CERTIFICATE REQUEST', csr));
      return signCertificate({
        subject,
        dnsNames,
        ipAddresses,
        publicKey,
        notBeforeMs: atMs,
        notAfterMs: atMs + 90 * dayMs,
        issuer: { certificate, key },
      });
    },
  };
}
