import { integrityDigest, keyStream, passwordDigest } from './jks-protector.ts';

/** An entry of a Java keystore, as it was read back. */
export interface ReadJksEntry {
  readonly alias: string;
  readonly createdMs: number;
  /** PKCS#8, DER; undefined for a trusted certificate. */
  readonly key: Buffer | undefined;
  /** DER. */
  readonly certificates: readonly Buffer[];
}

/** Reads a keystore as Java does; throws where it was changed, or the password is another. */
export function readJks(file: Buffer, password: string): ReadJksEntry[] {
  const content = file.subarray(0, -20);
  if (!integrityDigest(content, password).equals(file.subarray(-20)))
    throw new Error('Keystore was tampered with, or password was incorrect');
  let at = 0;
  const take = (length: number): Buffer => content.subarray(at, (at += length));
  const number = (): number => take(4).readUInt32BE();
  const text = (): string => take(take(2).readUInt16BE()).toString();
  const certificate = (): Buffer => {
    if (text() !== 'X.509') throw new Error('a certificate of another type');
    return take(number());
  };
  if (number() !== 0xfeedfeed || number() !== 2) throw new Error('Invalid keystore format');
  const entries = Array.from({ length: number() }, (): ReadJksEntry => {
    const tag = number();
    const alias = text();
    const createdMs = Number(take(8).readBigInt64BE());
    if (tag === 2) return { alias, createdMs, key: undefined, certificates: [certificate()] };
    const key = plainKey(take(number()), password);
    return { alias, createdMs, key, certificates: Array.from({ length: number() }, certificate) };
  });
  if (at !== content.length) throw new Error('octets are left over');
  return entries;
}

function plainKey(info: Buffer, password: string): Buffer {
  // SEQUENCE, SEQUENCE { OID 1.3.6.1.4.1.42.2.17.1.1, NULL }, OCTET STRING: the last one goes to the end.
  const algorithm = Buffer.from('300e060a2b060104012a021101010500', 'hex');
  const from = info.indexOf(algorithm) + algorithm.length;
  const longForm = info.readUInt8(from + 1);
  const octets = info.subarray(from + 2 + (longForm > 0x80 ? longForm & 0x7f : 0));
  const plain = keyStream(octets.subarray(20, -20), password, octets.subarray(0, 20));
  if (!passwordDigest(password).update(plain).digest().equals(octets.subarray(-20)))
    throw new Error('Cannot recover key');
  return plain;
}
