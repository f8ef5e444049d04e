import { createHash, type Hash, randomBytes } from 'node:crypto';
import { Null, ObjectIdentifier, OctetString, Sequence } from 'asn1js';

// Sun's protection of a keystore, as OpenJDK's sun.security.provider.KeyProtector and JavaKeyStore have it. It is old and
// weak: whoever has the file can try passwords fast. The file stands beside the plain key, so nothing is lost by that.

const digestLength = 20;
const keyProtector = '1.3.6.1.4.1.42.2.17.1.1';
/** What Sun's engineers put between the password and the content of a keystore. */
const whitener = 'Mighty Aphrodite';

/** A digest that has taken in the password: two octets, high one first, for each UTF-16 unit, as Java has characters. */
export function passwordDigest(password: string): Hash {
  return createHash('sha1').update(Buffer.from(password, 'utf16le').swap16());
}

/** The digest that ends a keystore: who changes the file without the password is found out. */
export function integrityDigest(content: Buffer, password: string): Buffer {
  return passwordDigest(password).update(whitener).update(content).digest();
}

/** Encrypts or decrypts: octets are combined with a chain of digests that begins with the salt. */
export function keyStream(octets: Buffer, password: string, salt: Buffer): Buffer {
  const result = Buffer.from(octets);
  let digest = salt;
  for (let at = 0; at < octets.length; at += digestLength) {
    digest = passwordDigest(password).update(digest).digest();
    for (let i = 0; i < digestLength && at + i < octets.length; i++)
      result.writeUInt8(octets.readUInt8(at + i) ^ digest.readUInt8(i), at + i);
  }
  return result;
}

/** A private key (PKCS#8, DER) as an EncryptedPrivateKeyInfo (RFC 5958 section 3): salt, encrypted key, digest of the plain one. */
export function protectedKey(pkcs8: Buffer, password: string): Buffer {
  const salt = randomBytes(digestLength);
  const check = passwordDigest(password).update(pkcs8).digest();
  const octets = Buffer.concat([salt, keyStream(pkcs8, password, salt), check]);
  const algorithm = new Sequence({ value: [new ObjectIdentifier({ value: keyProtector }), new Null()] });
  const info = new Sequence({ value: [algorithm, new OctetString({ valueHex: new Uint8Array(octets) })] });
  return Buffer.from(info.toBER());
}
