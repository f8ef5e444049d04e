import type { Certificate } from '../../api/cert-manager/certificate.ts';
import type { CsrSpec } from '../../pki/csr.ts';
import type { KeySpec } from '../../pki/private-key.ts';

/** The private key that a Certificate asks for; RSA 2048 where it says nothing. */
export function wantedKey(certificate: Certificate): KeySpec {
  return certificate.spec.privateKey ?? {};
}

/** What a Certificate asks to be certified. */
export function wantedContent({ spec }: Pick<Certificate, 'spec'>): CsrSpec {
  const otherNames = spec.otherNames?.map(({ oid = '', utf8Value = '' }) => ({ oid, utf8Value }));
  return { ...spec, otherNames };
}
