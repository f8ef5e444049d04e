import { isIP, isIPv6 } from 'node:net';

/** The path below which HTTP01 answers are served (RFC 8555 section 8.3). */
export const challengePath = '/.well-known/acme-challenge/';

/**
 * A host as it is compared: lower case, without port, brackets and trailing dot, IPv6 in its shortest form. Takes a
 * name, an IP address, or a Host header. Undefined where the text is none of them.
 */
export function canonicalHost(text: string): string | undefined {
  if (isIP(text) !== 0) return isIPv6(text) ? shortestIpv6(text) : text;
  const match = /^(\[[^\]]*\]|[^:[\]]+)(?::\d{1,5})?$/.exec(text);
  const host = match?.[1];
  if (host === undefined) return undefined;
  if (host.startsWith('[')) {
    const address = host.slice(1, -1);
    return isIPv6(address) ? shortestIpv6(address) : undefined;
  }
  const name = host.toLowerCase().replace(/\.$/, '');
  return name.length <= 253 && /^[a-z0-9_]([\w.-]*[a-z0-9_])?$/.test(name) ? name : undefined;
}

/** The host as it stands in a URL: IPv6 in brackets. */
export function urlHost(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

/** Whether a text can be an HTTP01 token: base64url, 128 bits at least. */
export function isToken(text: string): boolean {
  return /^[\w-]{16,512}$/.test(text);
}

function shortestIpv6(address: string): string | undefined {
  const url = `http://[${address}]/`;
  // A zone (fe80::1%eth0) has no place in a URL.
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : undefined;
}
