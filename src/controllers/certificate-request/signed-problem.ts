import { messageOf } from '../../core/errors.ts';
import { ended, quoted } from '../../issuers/sentence.ts';
import { parseCertificate } from '../../pki/certificate.ts';
import type { CsrInfo } from '../../pki/csr.ts';
import { samePublicKey } from '../../pki/private-key.ts';

/**
 * What is wrong with a chain that an issuer gave for a CSR. One for another key would break what it is put into, and one
 * without a name that was asked for would be served for that name; neither is ever put anywhere.
 */
export function signedProblem(chain: string, csr: CsrInfo): string | undefined {
  try {
    const leaf = parseCertificate(chain);
    if (!samePublicKey(leaf.publicKey, csr.publicKey))
      return 'The issuer gave a certificate for another key than that of the request.';
    const given = new Set([...leaf.dnsNames, ...leaf.ipAddresses].map(name => name.toLowerCase()));
    const missing = [...csr.dnsNames, ...csr.ipAddresses].filter(name => !given.has(name.toLowerCase()));
    return missing.length === 0
      ? undefined
      : `The issuer gave a certificate without ${missing.map(quoted).join(', ')}, which the request asks for.`;
  } catch (error) {
    return `The issuer gave no valid certificate: ${ended(messageOf(error))}`;
  }
}
