/** What the beginning of a TLS connection says of itself. */
export type ClientHello =
  /** More bytes are needed. */
  | { readonly kind: 'incomplete' }
  /** Not TLS, or not well-formed: the TLS library will refuse it. */
  | { readonly kind: 'unreadable' }
  /** `serverName` in lower case, `''` where none is named. */
  | { readonly kind: 'read'; readonly serverName: string };

const handshakeRecord = 22;
const clientHelloMessage = 1;
const serverNameExtension = 0;
/** A ClientHello beyond this is refused; with post-quantum key shares and tickets one has about 2 KB. */
const longestClientHello = 16_384;
/** Nobody splits a ClientHello into more. */
const mostRecords = 32;

const incomplete: ClientHello = Object.freeze({ kind: 'incomplete' });
const unreadable: ClientHello = Object.freeze({ kind: 'unreadable' });

/**
 * Reads the server name (RFC 6066 section 3) out of the first bytes of a TLS connection (RFC 8446 sections 4.1.2, 5.1), which
 * may be split into records as the client likes. Pure. What it says is a hint for the choice of settings: whoever acts on it
 * compares it with what the TLS library read.
 */
export function readClientHello(bytes: Buffer): ClientHello {
  if (bytes.length > 0 && bytes[0] !== handshakeRecord) return unreadable;
  const message = gatherMessage(bytes);
  return Buffer.isBuffer(message) ? readMessage(message) : message;
}

/** Joins the records until the first handshake message is whole, and gives its body. */
function gatherMessage(bytes: Buffer): Buffer | ClientHello {
  const parts: Buffer[] = [];
  let gathered = 0;
  let needed = 4;
  for (let at = 0; at + 5 <= bytes.length; ) {
    if (bytes[at] !== handshakeRecord || parts.length === mostRecords) return unreadable;
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > 16_384) return unreadable;
    const part = bytes.subarray(at + 5, at + 5 + length);
    parts.push(part);
    gathered += part.length;
    at += 5 + length;
    if (gathered < needed) continue;
    const message = parts.length === 1 ? part : Buffer.concat(parts);
    if (message[0] !== clientHelloMessage) return unreadable;
    needed = 4 + message.readUIntBE(1, 3);
    if (needed > longestClientHello) return unreadable;
    if (gathered >= needed) return message.subarray(4, needed);
  }
  return incomplete;
}

function readMessage(message: Buffer): ClientHello {
  try {
    // Version and random.
    let at = 34;
    at += 1 + message.readUInt8(at);
    at += 2 + message.readUInt16BE(at);
    at += 1 + message.readUInt8(at);
    if (at === message.length) return { kind: 'read', serverName: '' };
    const end = at + 2 + message.readUInt16BE(at);
    if (end !== message.length) return unreadable;
    at += 2;
    while (at < end) {
      const type = message.readUInt16BE(at);
      const length = message.readUInt16BE(at + 2);
      const value = message.subarray(at + 4, at + 4 + length);
      if (value.length !== length) return unreadable;
      if (type === serverNameExtension) return readServerName(value);
      at += 4 + length;
    }
    return { kind: 'read', serverName: '' };
  } catch {
    // A length that leads beyond the end.
    return unreadable;
  }
}

function readServerName(value: Buffer): ClientHello {
  // One list with one name of the type host_name; OpenSSL takes no more either.
  if (value.readUInt16BE(0) !== value.length - 2 || value.readUInt8(2) !== 0) return unreadable;
  const length = value.readUInt16BE(3);
  if (length === 0 || length > 255 || 5 + length !== value.length) return unreadable;
  return { kind: 'read', serverName: value.toString('latin1', 5).toLowerCase() };
}
