import { createHash, type KeyObject } from 'node:crypto';
import { parseCertificates } from '../certificate.ts';
import type { Pkcs12File } from './pkcs12-file.ts';
import type { Pkcs12Profile } from './pkcs12-profile.ts';

/** What both kinds of PKCS#12 file need. */
interface Pkcs12Options {
  readonly password: string;
  /** Default LegacyRC2, as cert-manager; OpenSSL 3 reads it with `-legacy` alone. */
  readonly profile?: Pkcs12Profile | undefined;
}

/**
 * A PKCS#12 file (RFC 7292) with a private key, RSA, ECDSA or Ed25519, and its certificates: those of
 * `chain` (PEM, leaf first), then those of `ca`. Throws PKI_CERTIFICATE_INVALID.
 */
export async function pkcs12KeyStore(
  options: Pkcs12Options & {
    readonly key: KeyObject;
    readonly chain: string;
    readonly ca?: string | undefined;
    readonly alias?: string | undefined;
  },
): Promise<Buffer> {
  const { password, profile, alias: friendlyName } = options;
  const all = [
    ...parseCertificates(options.chain),
    ...(options.ca === undefined ? [] : parseCertificates(options.ca)),
  ];
  const ders = [...new Map(all.map(({ fingerprint256, der }) => [fingerprint256, der])).values()];
  const localKeyId = createHash('sha1')
    .update(ders[0] ?? '')
    .digest();
  const attributes = { friendlyName, localKeyId };
  const key = { der: options.key.export({ format: 'der', type: 'pkcs8' }), attributes };
  const certificates = ders.map((der, index) => ({ der, attributes: index === 0 ? attributes : {} }));
  return file({ key, certificates }, password, profile);
}

/** A PKCS#12 file with certificates to trust, in the form that Java reads as a truststore. Throws PKI_CERTIFICATE_INVALID. */
export async function pkcs12TrustStore(options: Pkcs12Options & { readonly ca: string }): Promise<Buffer> {
  const certificates = parseCertificates(options.ca).map(({ der, subject }, index) => ({
    der,
    // Java keeps one certificate for each name, so the name carries the place too.
    attributes: { friendlyName: index === 0 ? subject.text : `${subject.text} (${index})`, trusted: true },
  }));
  return file({ certificates }, options.password, options.profile);
}

async function file(
  contents: Pkcs12File,
  password: string,
  profile: Pkcs12Profile = 'LegacyRC2',
): Promise<Buffer> {
  // node-forge is large, and few clusters ask for keystores: the first one loads it.
  const { encodePkcs12 } = await import('./pkcs12-file.ts');
  return encodePkcs12(contents, password, profile);
}
