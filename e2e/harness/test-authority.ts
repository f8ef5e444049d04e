import { encodePrivateKey, generatePrivateKey, publicKeyOf } from '../../src/pki/private-key.ts';
import { selfSign, signCertificate } from '../../src/pki/sign.ts';
import { subjectName } from '../../src/pki/subject.ts';

const hourMs = 3_600_000;
const validMs = 30 * 24 * hourMs;

/** A key pair's certificate and private key, PEM (PKCS #8). */
export interface Identity {
  readonly certPem: string;
  readonly keyPem: string;
}

export interface IdentityRequest {
  readonly commonName: string;
  /** Becomes the subject's O; for Kubernetes clients, their group. */
  readonly organization?: string;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  /** Milliseconds since the epoch; default: a month from now. */
  readonly notAfterMs?: number;
}

/** A certificate authority of the test bed's own; its key never leaves the process. */
export interface TestAuthority {
  readonly caPem: string;
  /** Issues a P-256 leaf that serves as server and as client certificate. */
  issue(request: IdentityRequest): Promise<Identity>;
}

/** Makes an authority. */
export async function createTestAuthority(commonName: string): Promise<TestAuthority> {
  const key = await generatePrivateKey({ algorithm: 'ECDSA' });
  const caPem = await selfSign({
    ...validity(),
    subject: subjectName({ commonName }),
    key,
    isCA: true,
    usages: ['cert sign', 'crl sign'],
  });
  return {
    caPem,
    async issue({ commonName, organization, dnsNames = [], ipAddresses = [], notAfterMs }) {
      const leafKey = await generatePrivateKey({ algorithm: 'ECDSA' });
      const subject =
        organization === undefined
          ? { commonName }
          : { commonName, subject: { organizations: [organization] } };
      const certPem = await signCertificate({
        ...validity(notAfterMs),
        subject: subjectName(subject),
        publicKey: publicKeyOf(leafKey),
        issuer: { certificate: caPem, key },
        dnsNames,
        ipAddresses,
        usages: ['digital signature', 'server auth', 'client auth'],
      });
      return { certPem, keyPem: encodePrivateKey(leafKey, 'PKCS8') };
    },
  };
}

/** A validity that began an hour ago, for clocks that differ. */
function validity(notAfterMs = Date.now() + validMs): { notBeforeMs: number; notAfterMs: number } {
  return { notBeforeMs: Math.min(Date.now(), notAfterMs) - hourMs, notAfterMs };
}
