import type { HeaderFields } from '../exchange/header-fields.ts';
import { hopByHopHeaders } from './hop-by-hop.ts';
import type { CheckedHead } from './request-head.ts';

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
 * fields (RFC 9110 section 7.6.1) and without what only the edge may say, then what the edge says. Framing is stated
 * anew, from what was checked.
 */
export function upstreamHeaders(checked: CheckedHead): string[] {
  const { fields, connection } = checked;
  const headers: string[] = ['Host', checked.hostHeader];
  for (let at = 0; at < fields.count; at += 1) {
    const lower = fields.name(at);
    const taken = lower === 'host' || lower === 'content-length' || lower === 'expect' || isEdgeOnly(lower);
    if (taken || hopByHopHeaders.has(lower) || checked.connectionTokens.includes(lower)) continue;
    headers.push(fields.rawName(at), fields.value(at));
  }
  if (checked.body === 'chunked') headers.push('Transfer-Encoding', 'chunked');
  else if (checked.body === 'length') headers.push('Content-Length', String(checked.contentLength));
  else if (!bodiless.has(checked.method)) headers.push('Content-Length', '0');
  if (checked.upgrade !== undefined) headers.push('Connection', 'Upgrade', 'Upgrade', upgradeValue(fields));
  headers.push('X-Real-IP', connection.clientAddress, 'X-Forwarded-For', connection.clientAddress);
  headers.push(
    'X-Forwarded-Proto',
    connection.secure ? 'https' : 'http',
    'X-Forwarded-Host',
    checked.hostHeader,
  );
  headers.push('X-Forwarded-Port', String(connection.publicPort));
  return headers;
}

/** Methods whose requests have no length of 0 where they have no body (RFC 9110 section 8.6). */
const bodiless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS']);

function upgradeValue(fields: HeaderFields): string {
  return fields.first('upgrade') ?? 'websocket';
}
