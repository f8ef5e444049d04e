import type { HeaderFields } from '../exchange/header-fields.ts';
import { canonicalPath } from '../match/canonical-path.ts';
import { parseHost } from '../match/host.ts';
import type { RawHead } from './raw-head.ts';
import type { CheckedHead } from './request-head.ts';

/** A request that is answered with an error and whose connection is closed: it could be read in two ways. */
export interface Refusal {
  readonly status: 400 | 405 | 413 | 414 | 417 | 431 | 501 | 505;
  /** For the log and the metrics; the client learns the status alone. */
  readonly reason: string;
}

/** Bounds of a request's head. */
export interface HeadLimits {
  readonly headers: number;
  /** Characters of the request target. */
  readonly target: number;
}

export const defaultHeadLimits: HeadLimits = Object.freeze({ headers: 100, target: 8_192 });

/** Methods that are never forwarded, whatever the protocol. */
export const refusedMethods: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK']);
/** Anything but blanks, control characters and `#`; browsers send a good deal unencoded. */
export const queryForm = /^[\x21\x22\x24-\x7e\x80-\xff]*$/;
const absoluteForm = /^https?:\/\/([^/?#]*)([/?].*)?$/i;

interface Fields {
  hosts: string[];
  lengths: string[];
  codings: string[];
  upgrades: string[];
  connection: string[];
  expect: string[];
}

/**
 * Refuses what is ambiguous and reads what is not (RFC 9112 sections 3 and 6; edge.md, section 4). Pure, so that any
 * engine can use it; an engine's own parser may refuse more, never less.
 */
export function checkHead(
  head: RawHead,
  limits: HeadLimits,
): { checked: CheckedHead } | { refusal: Refusal } {
  const protocol = head.httpVersion;
  if (protocol !== '1.1' && protocol !== '1.0') return refuse(505, 'HTTP version');
  if (refusedMethods.has(head.method)) return refuse(405, 'method');
  if (head.target.length > limits.target) return refuse(414, 'target too long');
  if (head.fields.count > limits.headers) return refuse(431, 'too many headers');
  const fields = gather(head.fields);
  const framing = bodyOf(fields, protocol);
  if ('refusal' in framing) return framing;

  const absolute = absoluteForm.exec(head.target);
  const [hostHeader = absolute?.[1] ?? '', ...furtherHosts] = fields.hosts;
  if (furtherHosts.length > 0) return refuse(400, 'repeated Host');
  if (fields.hosts.length === 0 && protocol === '1.1') return refuse(400, 'missing Host');
  const host = parseHost(hostHeader);
  if (host === undefined) return refuse(400, 'malformed Host');
  if (absolute !== null) {
    const named = parseHost(absolute[1] ?? '');
    if (named === undefined || named.name !== host.name || named.port !== host.port)
      return refuse(400, 'target names another Host');
  }

  const target = absolute === null ? head.target : absoluteTarget(absolute[2]);
  const mark = target.indexOf('?');
  const path = canonicalPath(mark < 0 ? target : target.slice(0, mark));
  const query = mark < 0 ? '' : target.slice(mark);
  if (path === undefined) return refuse(400, 'malformed path');
  if (!queryForm.test(query)) return refuse(400, 'malformed query');

  const connectionTokens = tokensOf(fields.connection);
  const upgrades = tokensOf(fields.upgrades);
  const upgrade = connectionTokens.includes('upgrade') && protocol === '1.1' ? upgrades[0] : undefined;
  if (upgrades.some(token => token.startsWith('h2c') || token.startsWith('http/')))
    return refuse(400, 'Upgrade to HTTP/2');
  if (upgrade !== undefined && (framing.body !== 'none' || upgrades.length > 1))
    return refuse(400, 'ambiguous Upgrade');
  const expectsContinue = fields.expect.some(value => value.toLowerCase() === '100-continue');
  const checked: CheckedHead = {
    method: head.method,
    protocol,
    connection: head.connection,
    host,
    hostHeader,
    path,
    query,
    fields: head.fields,
    ...framing,
    upgrade,
    expectsContinue,
    connectionTokens,
  };
  return { checked };
}

function refuse(status: Refusal['status'], reason: string): { refusal: Refusal } {
  return { refusal: { status, reason } };
}

function gather(all: HeaderFields): Fields {
  const fields: Fields = { hosts: [], lengths: [], codings: [], upgrades: [], connection: [], expect: [] };
  const lists = new Map([
    ['host', fields.hosts],
    ['content-length', fields.lengths],
    ['transfer-encoding', fields.codings],
    ['upgrade', fields.upgrades],
    ['connection', fields.connection],
    ['expect', fields.expect],
  ]);
  for (let at = 0; at < all.count; at += 1) lists.get(all.name(at))?.push(all.value(at).trim());
  return fields;
}

function bodyOf(
  { lengths, codings }: Fields,
  httpVersion: string,
): Pick<CheckedHead, 'body' | 'contentLength'> | { refusal: Refusal } {
  if (lengths.length + codings.length > 1) return refuse(400, 'repeated body framing');
  const [coding] = codings;
  const [length] = lengths;
  if (coding !== undefined) {
    if (httpVersion === '1.0') return refuse(400, 'Transfer-Encoding in HTTP/1.0');
    return coding.toLowerCase() === 'chunked'
      ? { body: 'chunked', contentLength: 0 }
      : refuse(501, 'transfer coding');
  }
  if (length === undefined) return { body: 'none', contentLength: 0 };
  if (!/^\d{1,15}$/.test(length)) return refuse(400, 'malformed Content-Length');
  const contentLength = Number(length);
  return { body: contentLength === 0 ? 'none' : 'length', contentLength };
}

function absoluteTarget(rest: string | undefined): string {
  return rest === undefined ? '/' : rest.startsWith('?') ? `/${rest}` : rest;
}

function tokensOf(values: readonly string[]): string[] {
  return values.flatMap(value => value.split(',')).flatMap(token => token.trim().toLowerCase() || []);
}
