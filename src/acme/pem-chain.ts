import { X509Certificate } from 'node:crypto';
import { parseCertificate } from '../pki/certificate.ts';

/** The certificates of a PEM chain, leaf first, each as PEM. */
export function splitChain(chainPem: string): string[] {
  return chainPem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

/**
 * The common name of the issuer of the chain's topmost certificate: of the root, as CAs leave the root out. This
 * is what cert-manager compares `preferredChain` with. Undefined where the chain has none.
 */
export function topmostIssuer(chainPem: string): string | undefined {
  const top = splitChain(chainPem).at(-1);
  if (top === undefined) return undefined;
  // node prints one attribute a line; a line break within a value is escaped.
  const line = new X509Certificate(top).issuer.split('\n').find(part => part.startsWith('CN='));
  return line?.slice('CN='.length);
}

/** Whether a PEM block holds an X.509 certificate. */
export function isCertificate(pem: string): boolean {
  try {
    return parseCertificate(pem).der.length > 0;
  } catch {
    return false;
  }
}
