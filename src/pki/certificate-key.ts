import { derValueAt, derValuesIn } from './der.ts';

/** The tag [0] of the version, which stands before all others and may be absent (RFC 5280 section 4.1). */
const versionTag = 0xa0;
/** After serialNumber, signature, issuer, validity and subject. */
const place = 5;

/**
 * The SubjectPublicKeyInfo of a certificate, as it stands there; undefined where its form is another. OpenSSL's export of
 * the same takes a tenth of a millisecond.
 */
export function publicKeyInfoIn(der: Buffer): Buffer | undefined {
  const whole = derValueAt(der, 0, der.length);
  const tbs = whole && derValueAt(der, whole.from, whole.to);
  const values = (tbs && derValuesIn(der, tbs.from, tbs.to)) ?? [];
  const info = values[values[0]?.tag === versionTag ? place + 1 : place];
  return info?.tag === 0x30 ? der.subarray(info.at, info.to) : undefined;
}
