import type { BodyFraming } from '../exchange/ports.ts';
import { charClass, valueChar } from './char-classes.ts';
import { fieldKind } from './field-kind.ts';
import { parseFields } from './parse-fields.ts';
import { lengthOf, tokensOf } from './request-fields.ts';
import { fieldStride, type WireFields, withoutFields } from './wire-fields.ts';

/** What the fields of a response say, whatever its status line. */
interface ResponseFields {
  /** Without those of one connection and without framing: what is passed on. */
  readonly passed: WireFields;
  readonly all: WireFields;
  readonly chunked: boolean;
  /** -1 where none is given. */
  readonly length: number;
  readonly close: boolean;
  readonly keepAlive: boolean;
  /** Seconds that the upstream says it keeps an idle connection for, or undefined. */
  readonly idleSeconds: number | undefined;
}

/** The head of a response that was taken. */
export interface ReadResponse {
  readonly status: number;
  readonly statusText: string;
  readonly fields: WireFields;
  /** With the fields of one connection: the one that names the new protocol, for status 101. */
  readonly allFields: WireFields;
  /** `open` with `chunked` false: the body ends with the connection. */
  readonly framing: BodyFraming;
  readonly chunked: boolean;
  readonly bodiless: boolean;
  readonly persistent: boolean;
  readonly idleSeconds: number | undefined;
}

export const maxResponseHeadBytes = 65_536;
const maxResponseFields = 256;
const noBody: BodyFraming = Object.freeze({ kind: 'none' });
const openBody: BodyFraming = Object.freeze({ kind: 'open' });

/**
 * Reads the heads of the responses of one connection, as strictly as those of requests: an upstream that could be read in
 * two ways is an upstream that has failed. It remembers the fields of the head before.
 */
export class ResponseReader {
  #knownText = '';
  #known: ResponseFields | undefined;

  /** Reads one head, whole, a byte a character; `method` is that of its request. Gives the fault where it is refused. */
  read(text: string, method: string): ReadResponse | { readonly fault: string } {
    const minor = text.startsWith('HTTP/1.1 ') ? 1 : text.startsWith('HTTP/1.0 ') ? 0 : -1;
    if (minor < 0) return { fault: 'malformed status line' };
    const status = statusOf(text);
    if (status < 100) return { fault: 'malformed status' };
    let at = statusEnd;
    // Some servers leave out the blank of an empty reason.
    if (text.charCodeAt(at) === 0x20) at += 1;
    else if (text.charCodeAt(at) !== 0x0d) return { fault: 'malformed status' };
    const reasonStart = at;
    while (((charClass[text.charCodeAt(at)] ?? 0) & valueChar) !== 0) at += 1;
    if (text.charCodeAt(at) !== 0x0d || text.charCodeAt(at + 1) !== 0x0a)
      return { fault: 'malformed reason phrase' };
    const known = this.#fieldsOf(text.slice(at + 2));
    if ('fault' in known) return known;
    // Nothing is to follow it, or nothing was asked that could (RFC 9110 section 15.2): it may be a whole answer, or half of one.
    if (status < 200 && (minor === 0 || known.close)) return { fault: 'interim answer that is the last' };
    if (known.chunked && minor === 0) return { fault: 'Transfer-Encoding in HTTP/1.0' };

    const bodiless = method === 'HEAD' || status === 204 || status === 304 || status < 200;
    const framing =
      known.length >= 0
        ? { kind: 'length' as const, length: known.length }
        : bodiless && !known.chunked
          ? noBody
          : openBody;
    return {
      status,
      statusText: text.slice(reasonStart, at),
      fields: known.passed,
      allFields: known.all,
      framing: status === 204 ? noBody : framing,
      chunked: known.chunked,
      bodiless,
      persistent: minor === 1 ? !known.close : known.keepAlive,
      idleSeconds: known.idleSeconds,
    };
  }

  #fieldsOf(block: string): ResponseFields | { readonly fault: string } {
    if (this.#known !== undefined && block === this.#knownText) return this.#known;
    const fields = parseFields(block, 0, block.length - 2, maxResponseFields);
    if ('fault' in fields) return fields;
    const read = readFields(fields);
    if ('fault' in read) return read;
    this.#knownText = block;
    this.#known = read;
    return read;
  }
}

const statusEnd = 'HTTP/1.1 200'.length;

function statusOf(text: string): number {
  let status = 0;
  for (let at = statusEnd - 3; at < statusEnd; at += 1) {
    const digit = text.charCodeAt(at) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return 0;
    status = status * 10 + digit;
  }
  return status <= 599 ? status : 0;
}

function readFields(all: WireFields): ResponseFields | { readonly fault: string } {
  const { marks } = all;
  let length = -1;
  let chunked = false;
  let tokens: readonly string[] = [];
  let idleSeconds: number | undefined;
  let dropped = 0;
  for (let at = 4, index = 0; at < marks.length; at += fieldStride, index += 1) {
    const kind = marks[at] ?? 0;
    if (kind === fieldKind.contentLength) {
      if (length >= 0 || chunked) return { fault: 'repeated body framing' };
      length = lengthOf(all.value(index));
      if (length < 0) return { fault: 'malformed Content-Length' };
    } else if (kind === fieldKind.transferEncoding) {
      if (length >= 0 || chunked) return { fault: 'repeated body framing' };
      if (all.value(index).toLowerCase() !== 'chunked') return { fault: 'transfer coding' };
      chunked = true;
    } else if (kind === fieldKind.connection) {
      tokens = [...tokens, ...tokensOf(all.value(index))];
    } else if (kind === fieldKind.keepAlive) {
      const seconds = /timeout=(\d{1,6})/i.exec(all.value(index))?.[1];
      if (seconds !== undefined) idleSeconds = Number(seconds);
    }
    if (isOfConnection(kind)) dropped += 1;
  }
  const listed = tokens.filter(token => token !== 'close' && token !== 'keep-alive');
  const passed =
    dropped === 0 && listed.length === 0
      ? all
      : withoutFields(all, (kind, index) => isOfConnection(kind) || listed.includes(all.name(index)));
  return {
    passed,
    all,
    chunked,
    length,
    close: tokens.includes('close'),
    keepAlive: tokens.includes('keep-alive'),
    idleSeconds,
  };
}

function isOfConnection(kind: number): boolean {
  switch (kind) {
    case fieldKind.connection:
    case fieldKind.contentLength:
    case fieldKind.transferEncoding:
    case fieldKind.upgrade:
    case fieldKind.te:
    case fieldKind.keepAlive:
    case fieldKind.hopByHop:
      return true;
    default:
      return false;
  }
}
