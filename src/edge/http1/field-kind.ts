/** What a field means to a proxy; `other` is passed on as it is. */
export const fieldKind = Object.freeze({
  other: 0,
  host: 1,
  connection: 2,
  contentLength: 3,
  transferEncoding: 4,
  upgrade: 5,
  expect: 6,
  te: 7,
  keepAlive: 8,
  /** Further fields of one connection only (RFC 9110 section 7.6.1). */
  hopByHop: 9,
  /** What proxies say of the client: the word of a trusted peer alone is taken. */
  forwarded: 10,
  /**
   * Never taken from a client: `Proxy` would become the HTTP_PROXY variable of CGI programs, and many upstreams read
   * `X_Real_IP` as `X-Real-IP`.
   */
  unsafe: 11,
  /**
   * What a proxy says of a request that it changed, or asks a permission for. Some upstreams serve the path that stands
   * there, past what guards it here: passed on as it is, from a trusted peer alone.
   */
  original: 12,
});

const upperMask = 0x20;

/** The kind of the field whose name stands in `text` from `start` to `end`: a token without underscores, which are `unsafe`. */
export function fieldKindOf(text: string, start: number, end: number): number {
  switch (end - start) {
    case 2:
      return is(text, start, 'te') ? fieldKind.te : fieldKind.other;
    case 4:
      return is(text, start, 'host') ? fieldKind.host : fieldKind.other;
    case 5:
      return is(text, start, 'proxy') ? fieldKind.unsafe : fieldKind.other;
    case 6:
      return is(text, start, 'expect') ? fieldKind.expect : fieldKind.other;
    case 7:
      if (is(text, start, 'upgrade')) return fieldKind.upgrade;
      return is(text, start, 'trailer') ? fieldKind.hopByHop : fieldKind.other;
    case 8:
      return is(text, start, 'x-scheme') ? fieldKind.forwarded : fieldKind.other;
    case 9:
      if (is(text, start, 'forwarded') || is(text, start, 'x-real-ip')) return fieldKind.forwarded;
      return fieldKind.other;
    case 10:
      if (is(text, start, 'connection')) return fieldKind.connection;
      return is(text, start, 'keep-alive') ? fieldKind.keepAlive : fieldKind.other;
    case 13:
      if (is(text, start, 'x-rewrite-url')) return fieldKind.original;
      break;
    case 14:
      if (is(text, start, 'content-length')) return fieldKind.contentLength;
      if (is(text, start, 'x-original-url') || is(text, start, 'x-original-uri')) return fieldKind.original;
      break;
    case 15:
      if (is(text, start, 'x-original-host')) return fieldKind.original;
      break;
    case 16:
      if (is(text, start, 'proxy-connection')) return fieldKind.hopByHop;
      break;
    case 17:
      if (is(text, start, 'transfer-encoding')) return fieldKind.transferEncoding;
      if (is(text, start, 'x-original-method')) return fieldKind.original;
      break;
    case 18:
      if (is(text, start, 'proxy-authenticate')) return fieldKind.hopByHop;
      break;
    case 19:
      if (is(text, start, 'proxy-authorization')) return fieldKind.hopByHop;
      break;
    case 23:
      if (is(text, start, 'x-auth-request-redirect')) return fieldKind.original;
      break;
    case 24:
      if (is(text, start, 'x-original-forwarded-for')) return fieldKind.original;
      break;
    default:
  }
  if (end - start > 10) {
    const first = text.charCodeAt(start) | upperMask;
    const told =
      first === 0x78
        ? end - start > 11 && is(text, start, 'x-forwarded-')
        : first === 0x73 && is(text, start, 'ssl-client-');
    if (told) return fieldKind.forwarded;
  }
  return fieldKind.other;
}

/** Whether `name` (lower case, letters and hyphens) stands at `start`. */
function is(text: string, start: number, name: string): boolean {
  for (let at = 0; at < name.length; at += 1) {
    const wanted = name.charCodeAt(at);
    const code = text.charCodeAt(start + at);
    // A hyphen has the bit set by itself; only letters may differ in it.
    if (code !== wanted && (wanted === 0x2d || (code | upperMask) !== wanted)) return false;
  }
  return true;
}
