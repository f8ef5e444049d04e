import { createHmac, randomBytes } from 'node:crypto';
import forge from 'node-forge';
import { type Asn1, derNull, derOf, integer, octetString, octetsOf, oid, sequence } from './forge-asn1.ts';

/** `spec.keystores.pkcs12.profile` of a Certificate. */
export type Pkcs12Profile = 'LegacyRC2' | 'LegacyDES' | 'Modern2023';

/** Gives SEQUENCE { AlgorithmIdentifier, OCTET STRING }, the form of an EncryptedPrivateKeyInfo (RFC 5958), for any value. */
type Encrypt = (plain: Asn1, password: string) => Asn1;

/** Readers bound the count, and the password of a keystore is rarely a secret: the value that OpenSSL and Go write. */
const count = 2048;

const tripleDes: Encrypt = (plain, password) =>
  forge.pki.encryptPrivateKeyInfo(plain, password, { algorithm: '3des', count });

/** PBES2 (RFC 8018): PBKDF2 with HMAC-SHA-256, AES-256 in CBC mode. Passwords are UTF-8 there. */
const aes256: Encrypt = (plain, password) =>
  forge.pki.encryptPrivateKeyInfo(plain, forge.util.encodeUtf8(password), {
    algorithm: 'aes256',
    prfAlgorithm: 'sha256',
    saltSize: 16,
    count,
  });

/** What derived octets are for: the "ID byte" of RFC 7292 appendix B.3. */
const purposes = { key: 1, iv: 2, mac: 3 } as const;

function derive(
  password: string,
  salt: string,
  purpose: keyof typeof purposes,
  length: number,
  hash: 'sha1' | 'sha256',
): string {
  const digest = forge.md[hash].create();
  return forge.pkcs12
    .generateKey(password, forge.util.createBuffer(salt), purposes[purpose], count, length, digest)
    .getBytes();
}

/** pbeWithSHAAnd40BitRC2-CBC (RFC 7292 appendix C), for which node-forge has the parts: it reads this by itself, but does not write it. */
const rc2: Encrypt = (plain, password) => {
  const salt = octetsOf(randomBytes(8));
  const cipher = forge.rc2.createEncryptionCipher(derive(password, salt, 'key', 5, 'sha1'), 40);
  cipher.start(derive(password, salt, 'iv', 8, 'sha1'));
  cipher.update(forge.util.createBuffer(derOf(plain)));
  cipher.finish();
  const algorithm = sequence(oid('pbewithSHAAnd40BitRC2-CBC'), sequence(octetString(salt), integer(count)));
  return sequence(algorithm, octetString(cipher.output.getBytes()));
};

/** How a profile protects keys, certificates and the whole; the same as go-pkcs12, whose names these are. */
export const pkcs12Profiles = {
  LegacyRC2: { encryptKey: tripleDes, encryptCertificates: rc2, macHash: 'sha1' },
  LegacyDES: { encryptKey: tripleDes, encryptCertificates: tripleDes, macHash: 'sha1' },
  Modern2023: { encryptKey: aes256, encryptCertificates: aes256, macHash: 'sha256' },
} as const satisfies Record<Pkcs12Profile, object>;

/** The MacData over the DER of an AuthenticatedSafe (RFC 7292 section 4). */
export function macData(safe: string, password: string, hash: 'sha1' | 'sha256'): Asn1 {
  const salt = octetsOf(randomBytes(8));
  const key = derive(password, salt, 'mac', hash === 'sha1' ? 20 : 32, hash);
  const mac = createHmac(hash, Buffer.from(key, 'latin1')).update(safe, 'latin1').digest();
  const digest = sequence(sequence(oid(hash), derNull()), octetString(octetsOf(mac)));
  return sequence(digest, octetString(salt), integer(count));
}
