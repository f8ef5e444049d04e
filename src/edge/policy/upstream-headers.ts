import { hopByHopHeaders } from './hop-by-hop.ts';
import type { CheckedHead, RequestHead } from './request-head.ts';

/**
 * Headers that only the edge may set: a client's word on them is not taken. `proxy` would become the HTTP_PROXY
 * variable of CGI programs. Names with an underscore go too: many upstreams read `X_Real_IP` as `X-Real-IP`.
 */
const edgeOnly: ReadonlySet<string> = new Set(['forwarded', 'proxy', 'x-real-ip', 'x-scheme']);
const edgeOnlyPrefixes = ['x-forwarded-', 'ssl-client-'];

function isEdgeOnly(name: string): boolean {
  return edgeOnly.has(name) || name.includes('_') || edgeOnlyPrefixes.some(prefix => name.startsWith(prefix));
}

/**
 * The header of the request to the upstream, names and values in turn: what the client sent without hop-by-hop
 * fields (RFC 9110 section 7.6.1) and without what only the edge may say, then what the edge says. `publicPort` is
 * the port the client came to. Framing is stated anew, from what was checked.
 */
export function upstreamHeaders(head: RequestHead, checked: CheckedHead, publicPort: number): string[] {
  const { rawHeaders } = head;
  const headers: string[] = ['Host', checked.hostHeader];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const lower = name.toLowerCase();
    const taken = lower === 'host' || lower === 'content-length' || lower === 'expect' || isEdgeOnly(lower);
    if (taken || hopByHopHeaders.has(lower) || checked.connectionTokens.includes(lower)) continue;
    headers.push(name, rawHeaders[at + 1] ?? '');
  }
  if (checked.body === 'chunked') headers.push('Transfer-Encoding', 'chunked');
  else if (checked.body === 'length') headers.push('Content-Length', contentLength(rawHeaders));
  else if (!bodiless.has(head.method)) headers.push('Content-Length', '0');
  if (checked.upgrade !== undefined)
    headers.push('Connection', 'Upgrade', 'Upgrade', upgradeValue(rawHeaders));
  headers.push('X-Real-IP', head.remoteAddress, 'X-Forwarded-For', head.remoteAddress);
  headers.push('X-Forwarded-Proto', head.secure ? 'https' : 'http', 'X-Forwarded-Host', checked.hostHeader);
  headers.push('X-Forwarded-Port', String(publicPort));
  return headers;
}

/** Methods whose requests have no length of 0 where they have no body (RFC 9110 section 8.6). */
const bodiless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS']);

function contentLength(rawHeaders: readonly string[]): string {
  return String(Number(valueOf(rawHeaders, 'content-length')));
}

function upgradeValue(rawHeaders: readonly string[]): string {
  return valueOf(rawHeaders, 'upgrade') ?? 'websocket';
}

function valueOf(rawHeaders: readonly string[], name: string): string | undefined {
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if ((rawHeaders[at] ?? '').toLowerCase() === name) return rawHeaders[at + 1];
  }
  return undefined;
}
