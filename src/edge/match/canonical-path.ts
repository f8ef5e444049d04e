const plainPath = /^(?:\/[A-Za-z0-9\-_~!$&'()*+,;=:@][A-Za-z0-9\-._~!$&'()*+,;=:@]*)*\/?$/;
const unreserved = /[A-Za-z0-9\-._~]/;
/** Characters that RFC 3986 has no place for in a path; clients send some of them unencoded all the same. */
const disallowed: ReadonlySet<string> = new Set(' "<>[]^`{|}');
const hexPair = /^[0-9A-Fa-f]{2}$/;
// Decoded by a careless upstream, these would become separators, and dots around them would climb.
const hiddenClimb = /(?:^|\/|%2F|%5C)\.{1,2}(?=$|\/|%2F|%5C|;)/;

/**
 * The one form of a path that is matched, judged and forwarded. Percent-encodings of unreserved characters are
 * decoded, others in upper case, what a path has no place for encoded, dot segments removed (RFC 3986 section 6.2.2).
 * Empty elements stay: `/a//b` is not `/a/b`. Gives undefined for what no client sends in good faith: a path that
 * climbs above the root, a broken percent-encoding, an encoded NUL, a backslash, a control character, `..` beside
 * an encoded separator or before a path parameter. `latin1` is the path as Node gives it, a byte a character.
 */
export function canonicalPath(latin1: string): string | undefined {
  if (plainPath.test(latin1) && latin1 !== '') return latin1;
  if (!latin1.startsWith('/')) return undefined;
  const encoded = canonicalEncoding(latin1);
  if (encoded === undefined) return undefined;
  const path = encoded.includes('/.') ? withoutDotSegments(encoded) : encoded;
  return path === undefined || hiddenClimb.test(path) ? undefined : path;
}

function canonicalEncoding(path: string): string | undefined {
  let out = '';
  for (let at = 0; at < path.length; at += 1) {
    const char = path.charAt(at);
    const code = path.charCodeAt(at);
    if (char === '%') {
      const pair = path.slice(at + 1, at + 3);
      if (!hexPair.test(pair) || pair === '00') return undefined;
      const decoded = String.fromCharCode(Number.parseInt(pair, 16));
      out += unreserved.test(decoded) ? decoded : `%${pair.toUpperCase()}`;
      at += 2;
    } else if (code < 0x20 || code === 0x7f || code > 0xff || char === '\\' || char === '#' || char === '?') {
      return undefined;
    } else {
      out += code >= 0x80 || disallowed.has(char) ? `%${code.toString(16).toUpperCase()}` : char;
    }
  }
  return out;
}

/** RFC 3986 section 5.2.4, except that climbing above the root is an error. */
function withoutDotSegments(path: string): string | undefined {
  const kept: string[] = [];
  const elements = path.split('/').slice(1);
  for (const [index, element] of elements.entries()) {
    const last = index === elements.length - 1;
    if (element === '..') {
      if (kept.pop() === undefined) return undefined;
      if (last) kept.push('');
    } else if (element !== '.') {
      kept.push(element);
    } else if (last) {
      kept.push('');
    }
  }
  return `/${kept.join('/')}`;
}

/** A path of an Ingress rule in the same form, so that the two can be compared. */
export function canonicalRulePath(path: string): string | undefined {
  return canonicalPath(Buffer.from(path, 'utf8').toString('latin1'));
}

const odd = /%2F|%5C|;|\/\//;

/**
 * A canonical path as upstreams may read it that decode separators, drop the parameters of elements, and merge empty ones.
 * Undefined where it is the same.
 */
export function looselyRead(path: string): string | undefined {
  if (!odd.test(path)) return undefined;
  return path
    .replaceAll(/%2F|%5C/g, '/')
    .replaceAll(/;[^/]*/g, '')
    .replaceAll(/\/{2,}/g, '/');
}
