import { canonicalPath } from '../match/canonical-path.ts';
import { parseHost } from '../match/host.ts';
import { queryForm, type Refusal, refusedMethods } from '../policy/refusal.ts';
import type { CheckedHead, ConnectionFacts } from '../policy/request-head.ts';
import { Http2Fields } from './fields.ts';

/** Bounds of a request's head. */
export interface Http2HeadLimits {
  /** Bytes, as the fields would take in HTTP/1.1. */
  readonly headBytes: number;
  readonly headers: number;
  /** Characters of `:path`. */
  readonly target: number;
}

/** As over HTTP/1.1: those that are registered, and what looks like them. */
const methodForm = /^[A-Z_-]{1,32}$/;
const lengthForm = /^\d{1,15}$/;
/** RFC 9113 section 8.2.2. */
const connectionSpecific: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

interface Found {
  method: string | undefined;
  scheme: string | undefined;
  authority: string | undefined;
  path: string | undefined;
  host: string | undefined;
  length: string | undefined;
  cookies: number;
  expect: string | undefined;
}

/**
 * Refuses a request that HTTP/2 calls malformed (RFC 9113 section 8), or that HTTP/1.1 would be refused for, and reads the
 * others to the same form as an HTTP/1.1 head. Pure. `list` has names and values in turn, pseudo-header fields first;
 * `ended`: no body follows.
 */
export function checkHttp2Head(
  list: readonly string[],
  ended: boolean,
  connection: ConnectionFacts,
  limits: Http2HeadLimits,
): { checked: CheckedHead } | { refusal: Refusal } {
  const found: Found = {
    method: undefined,
    scheme: undefined,
    authority: undefined,
    path: undefined,
    host: undefined,
    length: undefined,
    cookies: 0,
    expect: undefined,
  };
  let pseudo = 0;
  while (list[pseudo * 2]?.startsWith(':') === true) {
    const problem = readPseudo(found, list[pseudo * 2] ?? '', list[pseudo * 2 + 1] ?? '');
    if (problem !== undefined) return refuse(400, problem);
    pseudo += 1;
  }
  const { method = '', path: target = '' } = found;
  if (!methodForm.test(method)) return refuse(400, 'malformed method');
  if (refusedMethods.has(method)) return refuse(405, 'method');
  const scheme = found.scheme?.toLowerCase();
  if (scheme !== 'https' && scheme !== 'http') return refuse(400, 'scheme');
  if (target.length > limits.target) return refuse(414, 'target too long');
  if (!queryForm.test(target)) return refuse(400, 'malformed target');
  if ((list.length >> 1) - pseudo > limits.headers) return refuse(431, 'too many headers');
  let bytes = 0;
  for (let at = pseudo * 2; at + 1 < list.length; at += 2) {
    const name = list[at] ?? '';
    const value = list[at + 1] ?? '';
    bytes += name.length + value.length + 4;
    const problem = readField(found, name, value);
    if (problem !== undefined) return refuse(400, problem);
  }
  if (bytes > limits.headBytes) return refuse(431, 'head too long');

  const hostHeader = found.authority ?? found.host;
  if (hostHeader === undefined) return refuse(400, 'missing Host');
  const host = parseHost(hostHeader);
  if (host === undefined) return refuse(400, 'malformed Host');
  if (found.authority !== undefined && found.host !== undefined && found.authority !== found.host) {
    const named = parseHost(found.host);
    if (named?.name !== host.name || named.port !== host.port)
      return refuse(400, 'target names another Host');
  }
  const mark = target.indexOf('?');
  const path = canonicalPath(mark < 0 ? target : target.slice(0, mark));
  const query = mark < 0 ? '' : target.slice(mark);
  if (path === undefined) return refuse(400, 'malformed path');

  const length = found.length;
  if (length !== undefined && !lengthForm.test(length)) return refuse(400, 'malformed Content-Length');
  if (ended && Number(length ?? 0) !== 0) return refuse(400, 'Content-Length without a body');
  if (found.expect !== undefined && found.expect.toLowerCase() !== '100-continue')
    return refuse(417, 'Expect');
  const contentLength = Number(length ?? 0);
  const unsaid = length === undefined ? 'chunked' : 'length';
  const body = ended || (length !== undefined && contentLength === 0) ? 'none' : unsaid;
  const checked: CheckedHead = {
    method,
    protocol: '2',
    connection,
    host,
    hostHeader,
    path,
    query,
    fields: found.cookies > 1 ? withOneCookie(list, pseudo) : new Http2Fields(list, pseudo),
    body,
    contentLength,
    upgrade: undefined,
    expectsContinue: found.expect !== undefined && body !== 'none',
    connectionTokens: noTokens,
  };
  return { checked };
}

const noTokens: readonly string[] = Object.freeze([]);

function refuse(status: Refusal['status'], reason: string): { refusal: Refusal } {
  return { refusal: { status, reason } };
}

function readPseudo(found: Found, name: string, value: string): string | undefined {
  switch (name) {
    case ':method':
      if (found.method !== undefined) return 'repeated pseudo-header';
      found.method = value;
      return undefined;
    case ':scheme':
      if (found.scheme !== undefined) return 'repeated pseudo-header';
      found.scheme = value;
      return undefined;
    case ':authority':
      if (found.authority !== undefined) return 'repeated pseudo-header';
      found.authority = value;
      return undefined;
    case ':path':
      if (found.path !== undefined) return 'repeated pseudo-header';
      found.path = value;
      return undefined;
    default:
      return 'unknown pseudo-header';
  }
}

function readField(found: Found, name: string, value: string): string | undefined {
  switch (name) {
    case 'host':
      if (found.host !== undefined) return 'repeated Host';
      found.host = value;
      return undefined;
    case 'content-length':
      if (found.length !== undefined) return 'repeated body framing';
      found.length = value;
      return undefined;
    case 'cookie':
      found.cookies += 1;
      return undefined;
    case 'expect':
      if (found.expect !== undefined) return 'repeated Expect';
      found.expect = value;
      return undefined;
    case 'te':
      return value.toLowerCase() === 'trailers' ? undefined : 'TE';
    default:
      if (name.startsWith(':')) return 'pseudo-header after headers';
      return connectionSpecific.has(name) ? 'connection-specific header' : undefined;
  }
}

/** Cookies that came in crumbs, as one field: no other protocol knows them otherwise (RFC 9113 section 8.2.3). */
function withOneCookie(list: readonly string[], pseudo: number): Http2Fields {
  const crumbs: string[] = [];
  const joined: string[] = [];
  let place = -1;
  for (let at = pseudo * 2; at + 1 < list.length; at += 2) {
    const name = list[at] ?? '';
    const value = list[at + 1] ?? '';
    if (name !== 'cookie') {
      joined.push(name, value);
      continue;
    }
    if (place < 0) place = joined.push(name, value) - 1;
    crumbs.push(value);
  }
  joined[place] = crumbs.join('; ');
  return new Http2Fields(joined);
}
