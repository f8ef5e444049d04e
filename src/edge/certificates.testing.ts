import type { KeyObject } from 'node:crypto';
import { encodePrivateKey, generatePrivateKey, publicKeyOf } from '../pki/private-key.ts';
import { selfSign, signCertificate } from '../pki/sign.ts';
import { subjectName } from '../pki/subject.ts';

const dayMs = 86_400_000;

/** A certificate and its key in PEM. */
export interface TestCertificate {
  readonly chain: string;
  readonly key: string;
}

/** An authority of the tests' own. */
export interface TestAuthority {
  readonly certificate: string;
  issue(
    dnsNames: readonly string[],
    validity?: { notAfterMs?: number; ipAddresses?: readonly string[] },
  ): Promise<TestCertificate>;
}

export async function makeAuthority(name = 'Test CA', nowMs = Date.now()): Promise<TestAuthority> {
  const key = await generatePrivateKey({ algorithm: 'ECDSA' });
  const notBeforeMs = nowMs - 400 * dayMs;
  const certificate = await selfSign({
    key,
    subject: subjectName({ commonName: name }),
    isCA: true,
    notBeforeMs,
    notAfterMs: nowMs + 3_650 * dayMs,
  });
  return {
    certificate,
    async issue(dnsNames, { notAfterMs = nowMs + 90 * dayMs, ipAddresses = [] } = {}) {
      const leafKey: KeyObject = await generatePrivateKey({ algorithm: 'ECDSA' });
      const leaf = await signCertificate({
        publicKey: publicKeyOf(leafKey),
        issuer: { certificate, key },
        subject: subjectName({ commonName: dnsNames[0] }),
        dnsNames,
        ipAddresses,
        usages: ['digital signature', 'server auth', 'client auth'],
        notBeforeMs,
        notAfterMs,
      });
      return { chain: leaf, key: encodePrivateKey(leafKey, 'PKCS8') };
    },
  };
}
