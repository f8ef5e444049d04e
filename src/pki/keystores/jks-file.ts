import { integrityDigest, protectedKey } from './jks-protector.ts';

// The format of OpenJDK's sun.security.provider.JavaKeyStore, version 2, which is written down there alone. Numbers
// are big-endian.

/** What a keystore holds under one alias. */
export type JksEntry =
  | { readonly alias: string; readonly pkcs8: Buffer; readonly chain: readonly Buffer[] }
  | { readonly alias: string; readonly trusted: Buffer };

const magic = 0xfeedfeed;
const version = 2;
const tags = { key: 1, trusted: 2 } as const;

/** The file. `createdMs`, in milliseconds since the epoch, is what `keytool` shows as each entry's date. */
export function encodeJks(entries: readonly JksEntry[], password: string, createdMs: number): Buffer {
  const content = Buffer.concat([
    uint32(magic),
    uint32(version),
    uint32(entries.length),
    ...entries.map(entry => encodeEntry(entry, password, createdMs)),
  ]);
  return Buffer.concat([content, integrityDigest(content, password)]);
}

function encodeEntry(entry: JksEntry, password: string, createdMs: number): Buffer {
  const head = (tag: number): Buffer[] => [uint32(tag), utf(aliasInFile(entry.alias)), date(createdMs)];
  if ('trusted' in entry) return Buffer.concat([...head(tags.trusted), certificate(entry.trusted)]);
  return Buffer.concat([
    ...head(tags.key),
    block(protectedKey(entry.pkcs8, password)),
    uint32(entry.chain.length),
    ...entry.chain.map(certificate),
  ]);
}

/** Java looks entries up in small letters, and would not find another spelling. */
export function aliasInFile(alias: string): string {
  return alias.toLowerCase();
}

const certificate = (der: Buffer): Buffer => Buffer.concat([utf('X.509'), block(der)]);

const block = (octets: Buffer): Buffer => Buffer.concat([uint32(octets.length), octets]);

function uint32(value: number): Buffer {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(value);
  return octets;
}

function date(epochMs: number): Buffer {
  const octets = Buffer.alloc(8);
  octets.writeBigInt64BE(BigInt(Math.trunc(epochMs)));
  return octets;
}

/** Java's "modified UTF-8" (java.io.DataInput) with its length in front: each UTF-16 unit by itself, and no zero octet. */
function utf(text: string): Buffer {
  const octets: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit > 0 && unit < 0x80) octets.push(unit);
    else if (unit < 0x800) octets.push(0xc0 | (unit >> 6), 0x80 | (unit & 0x3f));
    else octets.push(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f));
  }
  return Buffer.from([octets.length >> 8, octets.length & 0xff, ...octets]);
}
