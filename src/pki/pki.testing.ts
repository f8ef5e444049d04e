import type { KeyObject } from 'node:crypto';
import { generatePrivateKey, type KeySpec, publicKeyOf } from './private-key.ts';
import { type CertificateTemplate, type SigningAuthority, selfSign, signCertificate } from './sign.ts';
import { subjectName } from './subject.ts';

/** One of each kind of key that a Certificate can ask for. */
export const everyKeySpec: readonly (KeySpec & { readonly title: string })[] = [
  { title: 'RSA 2048', algorithm: 'RSA', size: 2048 },
  { title: 'RSA 3072', algorithm: 'RSA', size: 3072 },
  { title: 'ECDSA P-256', algorithm: 'ECDSA', size: 256 },
  { title: 'ECDSA P-384', algorithm: 'ECDSA', size: 384 },
  { title: 'ECDSA P-521', algorithm: 'ECDSA', size: 521 },
  { title: 'Ed25519', algorithm: 'Ed25519' },
];

const hourMs = 3_600_000;

/** Around the real present, since OpenSSL looks at the machine's clock in a handshake. */
export const testValidity = { notBeforeMs: Date.now() - hourMs, notAfterMs: Date.now() + 24 * hourMs };

type Overrides = Partial<CertificateTemplate> & { readonly commonName?: string };

/** A certificate and the key that belongs to it. */
export interface TestCertificate {
  readonly key: KeyObject;
  readonly certificate: string;
}

function template({ commonName = '', ...overrides }: Overrides): CertificateTemplate {
  return { ...testValidity, subject: subjectName({ commonName }), ...overrides };
}

/** A root authority (P-256 unless told otherwise). */
export async function anAuthority(
  overrides: Overrides & { keySpec?: KeySpec } = {},
): Promise<TestCertificate> {
  const { keySpec = { algorithm: 'ECDSA' }, ...rest } = overrides;
  const key = await generatePrivateKey(keySpec);
  return {
    key,
    certificate: await selfSign({ ...template({ commonName: 'Test CA', isCA: true, ...rest }), key }),
  };
}

/** A certificate that `issuer` signed (P-256 unless told otherwise), for `site.example` unless told otherwise. */
export async function aCertificate(
  overrides: Overrides & { issuer: SigningAuthority; keySpec?: KeySpec; key?: KeyObject },
): Promise<TestCertificate> {
  const { issuer, keySpec = { algorithm: 'ECDSA' }, key: given, ...rest } = overrides;
  const key = given ?? (await generatePrivateKey(keySpec));
  const wanted = template({ dnsNames: ['site.example'], ...rest });
  return { key, certificate: await signCertificate({ ...wanted, publicKey: publicKeyOf(key), issuer }) };
}
