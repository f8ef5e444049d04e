import { isIP } from 'node:net';

/** The host a request is for. `name` is lower-case, without port and trailing dot, and `''` where there is none. */
export interface RequestHost {
  readonly name: string;
  /** An address or nothing: such a request reaches only rules without a host (edge.md, statement 4). */
  readonly nameless: boolean;
  /** What stood behind the colon, or undefined. */
  readonly port: string | undefined;
}

const noHost: RequestHost = Object.freeze({ name: '', nameless: true, port: undefined });
// Underscores are no part of a host name by RFC 952, but clients use them, and they are harmless here.
const registeredName = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;
const withPort = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]*)(?::(\d{0,5}))?$/;

/**
 * Reads a Host header (RFC 9110 section 7.2): a name or an address, and perhaps a port. Gives undefined for
 * everything else: user information, blanks, percent-encoding, empty labels.
 */
export function parseHost(header: string): RequestHost | undefined {
  if (isPlainName(header)) return { name: header, nameless: false, port: undefined };
  if (header === '') return noHost;
  if (header.length > 300) return undefined;
  const [, rawName = '', rawPort] = withPort.exec(header) ?? [];
  if (rawName === '' || Number(rawPort ?? 0) > 65_535) return undefined;
  const port = rawPort === '' ? undefined : rawPort;
  if (rawName.startsWith('[')) {
    return isIP(rawName.slice(1, -1)) === 6
      ? { name: rawName.toLowerCase(), nameless: true, port }
      : undefined;
  }
  const lower = rawName.toLowerCase();
  const name = lower.endsWith('.') ? lower.slice(0, -1) : lower;
  if (name.length > longestName || !registeredName.test(name)) return undefined;
  return { name, nameless: isIP(name) !== 0, port };
}

const dot = 0x2e;
const longestName = 253;

/** Whether a Host is a name in lower case and nothing else, as nearly all are: these are read without making anything. */
function isPlainName(header: string): boolean {
  let hasLetter = false;
  let before = dot;
  for (let at = 0; at < header.length; at += 1) {
    const code = header.charCodeAt(at);
    if (code === dot) {
      if (before === dot) return false;
    } else if ((code >= 0x61 && code <= 0x7a) || code === 0x2d || code === 0x5f) hasLetter = true;
    else if (code < 0x30 || code > 0x39) return false;
    before = code;
  }
  // What has digits alone may be an address.
  return hasLetter && before !== dot && header.length <= longestName;
}

/** `*.foo.com` for `bar.foo.com`: the one wildcard that can cover a name. Undefined for a single label. */
export function wildcardFor(name: string): string | undefined {
  const first = name.indexOf('.');
  return first <= 0 || first === name.length - 1 ? undefined : `*${name.slice(first)}`;
}

const ruleHost = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/;

/**
 * Reads a host of an Ingress's rule or TLS entry: a precise name, or a wildcard for one label. Gives it in
 * lower case, or undefined where it is neither (an address, `*` alone, a star elsewhere).
 */
export function parseRuleHost(host: string): string | undefined {
  const lower = host.toLowerCase();
  return lower.length <= longestName && ruleHost.test(lower) && isIP(lower) === 0 ? lower : undefined;
}
