import { canonicalPath } from '../match/canonical-path.ts';
import { parseHost } from '../match/host.ts';
import { type Refusal, refusedMethods } from '../policy/refusal.ts';
import type { CheckedHead, ConnectionFacts } from '../policy/request-head.ts';
import { charClass, methodChar, targetChar } from './char-classes.ts';
import { parseFields } from './parse-fields.ts';
import { type RequestFields, readRequestFields, refusalOf } from './request-fields.ts';

/** Bounds of a head. */
export interface RequestHeadLimits {
  readonly headers: number;
  /** Characters of the request target. */
  readonly target: number;
}

/** A head that was taken. */
export interface ReadRequest {
  readonly head: CheckedHead;
  /** Whether the client means to send more requests on the connection. */
  readonly persistent: boolean;
}

const longestMethod = 32;
const space = 0x20;
const requestLineEnd = ' HTTP/1.1\r\n'.length;

/**
 * Reads the request heads of one connection, strictly (RFC 9112 sections 2 to 6; edge.md, section 4). It remembers the
 * fields of the head before: clients repeat them, and then the request line alone is parsed.
 */
export class RequestReader {
  readonly #limits: RequestHeadLimits;
  readonly #connection: ConnectionFacts;
  #knownText = '';
  #known: RequestFields | undefined;

  constructor(connection: ConnectionFacts, limits: RequestHeadLimits) {
    this.#connection = connection;
    this.#limits = limits;
  }

  /**
   * Reads bytes that end with the very fields of the head before, without a look for where the head ends. Gives undefined
   * where they are not one head of just these.
   */
  readRepeated(text: string): ReadRequest | Refusal | undefined {
    const from = text.indexOf('\r\n') + 2;
    // Lengths are compared first: most that differ, differ in it.
    const repeats = text.length - from === this.#knownText.length && text.slice(from) === this.#knownText;
    return repeats && this.#knownText !== '' ? this.#read(text, true) : undefined;
  }

  /** Reads one head. `text` is the whole of it, a byte a character, with the empty line that ends it. */
  read(text: string): ReadRequest | Refusal {
    return this.#read(text, false) ?? refuse(400, 'malformed request line');
  }

  #read(text: string, repeatedOnly: boolean): ReadRequest | Refusal | undefined {
    let at = 0;
    while (((charClass[text.charCodeAt(at)] ?? 0) & methodChar) !== 0) at += 1;
    if (at === 0 || at > longestMethod || text.charCodeAt(at) !== space)
      return refuse(400, 'malformed method');
    const method = text.slice(0, at);
    const targetStart = at + 1;
    at = targetStart;
    while (((charClass[text.charCodeAt(at)] ?? 0) & targetChar) !== 0) at += 1;
    if (at === targetStart || text.charCodeAt(at) !== space)
      return refuse(400, at - targetStart > this.#limits.target ? 'target too long' : 'malformed target');
    if (at - targetStart > this.#limits.target) return refuse(414, 'target too long');
    const target = text.slice(targetStart, at);
    const minor = text.startsWith(' HTTP/1.1\r\n', at) ? 1 : text.startsWith(' HTTP/1.0\r\n', at) ? 0 : -1;
    if (minor < 0) return versionRefusal(text, at);
    if (refusedMethods.has(method)) return refuse(405, 'method');

    const from = at + requestLineEnd;
    if (repeatedOnly && text.length - from !== this.#knownText.length) return undefined;
    const known = this.#fieldsOf(text.slice(from));
    if ('status' in known) return known;
    if (minor === 0 && known.body === 'chunked') return refuse(400, 'Transfer-Encoding in HTTP/1.0');
    return this.#check(method, target, minor, known);
  }

  #fieldsOf(block: string): RequestFields | Refusal {
    if (this.#known !== undefined && block === this.#knownText) return this.#known;
    const fields = parseFields(block, 0, block.length - 2, this.#limits.headers);
    if ('fault' in fields) return refusalOf(fields);
    const read = readRequestFields(fields);
    if ('status' in read) return read;
    this.#knownText = block;
    this.#known = read;
    return read;
  }

  #check(method: string, target: string, minor: number, known: RequestFields): ReadRequest | Refusal {
    let { host, hostHeader } = known;
    let local = target;
    if (target.charCodeAt(0) !== 0x2f) {
      const absolute = absoluteTarget(target);
      if (absolute === undefined) return refuse(400, 'malformed target');
      const named = parseHost(absolute.authority);
      if (named === undefined || named.name === '') return refuse(400, 'malformed target');
      if (hostHeader !== undefined && (named.name !== host.name || named.port !== host.port))
        return refuse(400, 'target names another Host');
      host = named;
      hostHeader ??= absolute.authority;
      local = absolute.local;
    }
    if (known.hostHeader === undefined && minor === 1) return refuse(400, 'missing Host');
    const mark = local.indexOf('?');
    const path = canonicalPath(mark < 0 ? local : local.slice(0, mark));
    if (path === undefined) return refuse(400, 'malformed path');
    const head: CheckedHead = {
      method,
      protocol: minor === 1 ? '1.1' : '1.0',
      connection: this.#connection,
      host,
      hostHeader: hostHeader ?? '',
      path,
      query: mark < 0 ? '' : local.slice(mark),
      fields: known.fields,
      body: known.body,
      contentLength: known.contentLength,
      upgrade: minor === 1 ? known.upgrade : undefined,
      expectsContinue: minor === 1 && known.expectsContinue,
      connectionTokens: known.connectionTokens,
    };
    return { head, persistent: minor === 1 ? !known.close : known.keepAlive && !known.close };
  }
}

function refuse(status: Refusal['status'], reason: string): Refusal {
  return { status, reason };
}

/** `http://authority/path?query`, the form that proxies are sent (RFC 9112 section 3.2.2). */
function absoluteTarget(target: string): { authority: string; local: string } | undefined {
  const scheme = /^https?:\/\//i.exec(target)?.[0];
  if (scheme === undefined) return undefined;
  const rest = target.slice(scheme.length);
  const end = rest.search(/[/?]/);
  if (end < 0) return { authority: rest, local: '/' };
  const local = rest.slice(end);
  return { authority: rest.slice(0, end), local: local.startsWith('?') ? `/${local}` : local };
}

function versionRefusal(text: string, at: number): Refusal {
  const [, version] = /^ HTTP\/(\d\.\d)\r\n/.exec(text.slice(at, at + 12)) ?? [];
  return version === undefined ? refuse(400, 'malformed request line') : refuse(505, 'HTTP version');
}
