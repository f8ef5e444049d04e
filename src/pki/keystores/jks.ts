import type { KeyObject } from 'node:crypto';
import { parseCertificates } from '../certificate.ts';
import { PkiError } from '../errors.ts';
import { aliasInFile, encodeJks, type JksEntry } from './jks-file.ts';

/** What both kinds of Java keystore need. */
interface JksOptions {
  readonly password: string;
  /** The date of the entries, in milliseconds since the epoch. */
  readonly createdMs: number;
}

export const defaultJksAlias = 'certificate';

/** Far below what the format carries, which is 65,535 octets. */
const longestAlias = 1_024;

/**
 * A Java keystore (JKS) with a private key, RSA, ECDSA or Ed25519, under `alias` ("certificate" where it is empty) with
 * the certificates of `chain` (PEM, leaf first); and those of `ca` as trusted, under "ca", "ca-1", ... Throws
 * PKI_CERTIFICATE_INVALID, and PKI_UNSUPPORTED for an alias that is too long.
 */
export function jksKeyStore(
  options: JksOptions & {
    readonly key: KeyObject;
    readonly chain: string;
    readonly ca?: string | undefined;
    readonly alias?: string | undefined;
  },
): Buffer {
  const { key, password, createdMs } = options;
  const alias = options.alias || defaultJksAlias;
  if (alias.length > longestAlias) {
    throw new PkiError(
      'PKI_UNSUPPORTED',
      `the alias in keystores.jks is longer than ${longestAlias} characters; shorten it`,
    );
  }
  const chain = parseCertificates(options.chain).map(({ der }) => der);
  const pkcs8 = key.export({ format: 'der', type: 'pkcs8' });
  const trusted = options.ca === undefined ? [] : trustedEntries(options.ca, alias);
  return encodeJks([{ alias, pkcs8, chain }, ...trusted], password, createdMs);
}

/** A Java keystore (JKS) with certificates to trust alone: "ca", "ca-1", ... Throws PKI_CERTIFICATE_INVALID. */
export function jksTrustStore(options: JksOptions & { readonly ca: string }): Buffer {
  return encodeJks(trustedEntries(options.ca), options.password, options.createdMs);
}

/** `taken`: an alias that none of them may have, since the later entry of a name would hide the earlier. */
function trustedEntries(ca: string, taken?: string): JksEntry[] {
  const certificates = parseCertificates(ca);
  const aliases = Array.from({ length: certificates.length + 1 }, (_, at) =>
    at === 0 ? 'ca' : `ca-${at}`,
  ).filter(alias => taken === undefined || alias !== aliasInFile(taken));
  return certificates.map(({ der }, at) => ({ alias: aliases[at] ?? '', trusted: der }));
}
