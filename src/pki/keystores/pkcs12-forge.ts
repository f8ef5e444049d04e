// What node:crypto lacks for PKCS#12, taken from node-forge, which is loaded only when a keystore is written.
import type nodeForge from 'node-forge';

declare module 'node-forge' {
  namespace pki {
    namespace pbe {
      /** There in node-forge, missing in its types. */
      function generatePkcs12Key(
        password: string,
        salt: util.ByteStringBuffer,
        id: number,
        iterations: number,
        length: number,
        digest: md.MessageDigest,
      ): util.ByteStringBuffer;
    }
  }
}

const load = async (): Promise<typeof nodeForge> => (await import('node-forge')).default;

/** What the derived octets are for: the "ID byte" of RFC 7292 appendix B.3. */
const purposes = { key: 1, iv: 2, mac: 3 } as const;

/** The key derivation of PKCS#12 (RFC 7292 appendix B.2): `length` octets from a password. */
export async function pkcs12Derive(options: {
  readonly password: string;
  readonly salt: Buffer;
  readonly purpose: keyof typeof purposes;
  readonly iterations: number;
  readonly length: number;
  readonly hash: 'sha1' | 'sha256';
}): Promise<Buffer> {
  const forge = await load();
  const { password, salt, purpose, iterations, length, hash } = options;
  const saltBuffer = forge.util.createBuffer(salt.toString('binary'));
  const digest = forge.md[hash].create();
  const id = purposes[purpose];
  const derived = forge.pki.pbe.generatePkcs12Key(password, saltBuffer, id, iterations, length, digest);
  return Buffer.from(derived.getBytes(), 'binary');
}

/** RC2 in CBC mode with an effective key of 40 bits, which OpenSSL 3 has in its legacy provider alone. */
export async function encryptRc2(plain: Buffer, key: Buffer, iv: Buffer): Promise<Buffer> {
  const forge = await load();
  const cipher = forge.rc2.createEncryptionCipher(key.toString('binary'), 40);
  cipher.start(iv.toString('binary'));
  cipher.update(forge.util.createBuffer(plain.toString('binary')));
  cipher.finish();
  return Buffer.from(cipher.output.getBytes(), 'binary');
}
