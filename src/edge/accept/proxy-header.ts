import { isIP } from 'node:net';

/**
 * What the beginning of a connection through a load balancer says (PROXY protocol, versions 1 and 2, of HAProxy's
 * proxy-protocol.txt). `bytes`: how many of them the header takes.
 */
export type ProxyHeader =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed' }
  /** The load balancer's own connection, a health check, or of an unknown family: the peer's address counts. */
  | { readonly kind: 'local'; readonly bytes: number }
  | { readonly kind: 'client'; readonly bytes: number; readonly address: string };

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const beginning = Buffer.from('PROXY ', 'latin1');
/** Section 2.1: "a 107-byte buffer is enough". */
const longestLine = 107;
/** TLVs of version 2 may follow the addresses; more than this is nobody's. */
const longestBody = 4_096;

const incomplete: ProxyHeader = Object.freeze({ kind: 'incomplete' });
const malformed: ProxyHeader = Object.freeze({ kind: 'malformed' });

/** Reads the header. Pure. A connection without one is malformed: where it is expected, it is required. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsAlike(bytes, signature)) return bytes.length < 16 ? incomplete : readBinary(bytes);
  if (startsAlike(bytes, beginning)) return readLine(bytes);
  return malformed;
}

/** Whether the bytes, as far as they are there, are those of the pattern. */
function startsAlike(bytes: Buffer, pattern: Buffer): boolean {
  const length = Math.min(bytes.length, pattern.length);
  return bytes.compare(pattern, 0, length, 0, length) === 0;
}

function readLine(bytes: Buffer): ProxyHeader {
  const head = bytes.subarray(0, longestLine);
  const end = head.indexOf('\r\n');
  if (end < 0) return head.length === longestLine ? malformed : incomplete;
  const line = head.toString('latin1', 0, end);
  if (/^PROXY UNKNOWN(?: [\x20-\x7e]*)?$/.test(line)) return { kind: 'local', bytes: end + 2 };
  const [, family, source = '', target = '', sourcePort, targetPort] =
    /^PROXY TCP([46]) (\S+) (\S+) (\d{1,5}) (\d{1,5})$/.exec(line) ?? [];
  const version = Number(family);
  if (isIP(source) !== version || isIP(target) !== version) return malformed;
  if (Number(sourcePort) > 65_535 || Number(targetPort) > 65_535) return malformed;
  return { kind: 'client', bytes: end + 2, address: source.toLowerCase() };
}

function readBinary(bytes: Buffer): ProxyHeader {
  const versionAndCommand = bytes[12] ?? 0;
  const length = bytes.readUInt16BE(14);
  if (versionAndCommand >> 4 !== 2 || length > longestBody) return malformed;
  if (bytes.length < 16 + length) return incomplete;
  const end = 16 + length;
  const command = versionAndCommand & 0xf;
  if (command === 0) return { kind: 'local', bytes: end };
  if (command !== 1) return malformed;
  switch (bytes[13]) {
    case 0x11:
      if (length < 12) return malformed;
      return { kind: 'client', bytes: end, address: [...bytes.subarray(16, 20)].join('.') };
    case 0x21:
      return length < 36
        ? malformed
        : { kind: 'client', bytes: end, address: ipv6Of(bytes.subarray(16, 32)) };
    default:
      return { kind: 'local', bytes: end };
  }
}

/** In its canonical form (RFC 5952), which the URL parser knows. */
function ipv6Of(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
