import { createPrivateKey, X509Certificate } from 'node:crypto';
import { type Secret, tlsCertificateKey, tlsPrivateKeyKey } from '../../api/kubernetes/secret.ts';
import { parseCertificate } from '../../pki/certificate.ts';

/** What is to be known about the Secret at the end of a chain. Never what is in it. */
export type SecretFacts =
  | { readonly name: string; readonly state: 'missing' }
  /** It may not be read; `why` is the API's answer. */
  | { readonly name: string; readonly state: 'unreadable'; readonly why: string }
  /** It is there and cannot be served; `problem` completes "Secret x ...". */
  | { readonly name: string; readonly state: 'damaged'; readonly problem: string }
  | {
      readonly name: string;
      readonly state: 'usable';
      readonly notBeforeMs: number;
      readonly notAfterMs: number;
      readonly isSelfSigned: boolean;
      /** What its certificate is for; where it names nothing else, its common name. */
      readonly dnsNames: readonly string[];
      readonly ipAddresses: readonly string[];
    };

const decoded = (secret: Secret, key: string): string =>
  Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8');

/** Reads the certificate of a TLS Secret, and whether its key belongs to it. */
export function secretFactsOf(name: string, secret: Secret): SecretFacts {
  const damaged = (problem: string): SecretFacts => ({ name, state: 'damaged', problem });
  const chain = decoded(secret, tlsCertificateKey);
  const key = decoded(secret, tlsPrivateKeyKey);
  if (chain.trim() === '') return damaged(`has no ${tlsCertificateKey}`);
  if (key.trim() === '') return damaged(`has no ${tlsPrivateKeyKey}`);
  let leaf: X509Certificate;
  try {
    leaf = new X509Certificate(chain);
  } catch {
    return damaged(`has a ${tlsCertificateKey} that is no certificate in PEM`);
  }
  try {
    if (!leaf.checkPrivateKey(createPrivateKey(key))) {
      return damaged(`has a ${tlsPrivateKeyKey} that is not the key of its certificate`);
    }
  } catch {
    return damaged(`has a ${tlsPrivateKeyKey} that is no private key in PEM`);
  }
  const { dnsNames, ipAddresses, commonName } = parseCertificate(chain);
  const isNamed = dnsNames.length + ipAddresses.length > 0 || commonName === undefined;
  return {
    name,
    state: 'usable',
    dnsNames: isNamed ? dnsNames : [commonName.toLowerCase()],
    ipAddresses,
    notBeforeMs: Date.parse(leaf.validFrom),
    notAfterMs: Date.parse(leaf.validTo),
    isSelfSigned: leaf.issuer === leaf.subject && leaf.verify(leaf.publicKey),
  };
}
