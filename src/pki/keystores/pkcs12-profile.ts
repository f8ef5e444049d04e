import { createCipheriv, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { derNull, integer, objectIdentifier, octetString, sequence } from '../der/write.ts';
import { encryptRc2, pkcs12Derive } from './pkcs12-forge.ts';

/** `spec.keystores.pkcs12.profile` of a Certificate. */
export type Pkcs12Profile = 'LegacyRC2' | 'LegacyDES' | 'Modern2023';

/** Some content under a password: the AlgorithmIdentifier that says how, and the encrypted octets. */
export interface Encrypted {
  readonly algorithm: Buffer;
  readonly octets: Buffer;
}

type Encrypt = (plain: Buffer, password: string) => Promise<Encrypted>;

/** How a profile protects keys, certificates and the whole; the same as go-pkcs12, whose names these are. */
export interface ProfileRules {
  readonly encryptKey: Encrypt;
  readonly encryptCertificates: Encrypt;
  readonly macHash: 'sha1' | 'sha256';
}

/** Readers bound the count, and the password of a keystore is rarely a secret: the value that OpenSSL and Go write. */
const iterations = 2048;

const deriveKey = promisify(pbkdf2);

/** RFC 7292 appendix C: pbeWithSHAAnd3-KeyTripleDES-CBC and pbeWithSHAAnd40BitRC2-CBC. */
function pbeWithSha1(
  oid: string,
  keyLength: number,
  cipher: (plain: Buffer, key: Buffer, iv: Buffer) => Promise<Buffer>,
): Encrypt {
  return async (plain, password) => {
    const salt = randomBytes(8);
    const derive = { password, salt, iterations, hash: 'sha1' } as const;
    const key = await pkcs12Derive({ ...derive, purpose: 'key', length: keyLength });
    const iv = await pkcs12Derive({ ...derive, purpose: 'iv', length: 8 });
    const algorithm = sequence(objectIdentifier(oid), sequence(octetString(salt), integer(iterations)));
    return { algorithm, octets: await cipher(plain, key, iv) };
  };
}

const tripleDes = pbeWithSha1('1.2.840.113549.1.12.1.3', 24, async (plain, key, iv) => {
  const cipher = createCipheriv('des-ede3-cbc', key, iv);
  return Buffer.concat([cipher.update(plain), cipher.final()]);
});
const rc2 = pbeWithSha1('1.2.840.113549.1.12.1.6', 5, encryptRc2);

/** PBES2 (RFC 8018 appendix A.4): PBKDF2 with HMAC-SHA-256, AES-256 in CBC mode. */
const pbes2: Encrypt = async (plain, password) => {
  const salt = randomBytes(16);
  const iv = randomBytes(16);
  const cipher = createCipheriv('aes-256-cbc', await deriveKey(password, salt, iterations, 32, 'sha256'), iv);
  const keyDerivation = sequence(
    objectIdentifier('1.2.840.113549.1.5.12'),
    sequence(
      octetString(salt),
      integer(iterations),
      sequence(objectIdentifier('1.2.840.113549.2.9'), derNull),
    ),
  );
  const scheme = sequence(objectIdentifier('2.16.840.1.101.3.4.1.42'), octetString(iv));
  const algorithm = sequence(objectIdentifier('1.2.840.113549.1.5.13'), sequence(keyDerivation, scheme));
  return { algorithm, octets: Buffer.concat([cipher.update(plain), cipher.final()]) };
};

/** The rules of each profile. */
export const pkcs12Profiles: Readonly<Record<Pkcs12Profile, ProfileRules>> = {
  LegacyRC2: { encryptKey: tripleDes, encryptCertificates: rc2, macHash: 'sha1' },
  LegacyDES: { encryptKey: tripleDes, encryptCertificates: tripleDes, macHash: 'sha1' },
  Modern2023: { encryptKey: pbes2, encryptCertificates: pbes2, macHash: 'sha256' },
};

const hashOids = { sha1: '1.3.14.3.2.26', sha256: '2.16.840.1.101.3.4.2.1' } as const;

/** The MacData over an AuthenticatedSafe (RFC 7292 section 4). */
export async function macData(safe: Buffer, password: string, hash: 'sha1' | 'sha256'): Promise<Buffer> {
  const salt = randomBytes(8);
  const length = hash === 'sha1' ? 20 : 32;
  const key = await pkcs12Derive({ password, salt, purpose: 'mac', iterations, length, hash });
  const mac = createHmac(hash, key).update(safe).digest();
  const digest = sequence(sequence(objectIdentifier(hashOids[hash]), derNull), octetString(mac));
  return sequence(digest, octetString(salt), integer(iterations));
}
