import { parseHost, type RequestHost } from '../match/host.ts';
import type { Refusal } from '../policy/refusal.ts';
import { fieldKind } from './field-kind.ts';
import type { FieldFault } from './parse-fields.ts';
import { fieldStride, type WireFields } from './wire-fields.ts';

/** What the fields of a request say, whatever its request line: read once for requests that repeat the same fields. */
export interface RequestFields {
  readonly fields: WireFields;
  /** Undefined where there is no Host field. */
  readonly hostHeader: string | undefined;
  readonly host: RequestHost;
  readonly body: 'none' | 'length' | 'chunked';
  readonly contentLength: number;
  /** Of HTTP/1.1: the protocol that is offered, where Connection names it. */
  readonly upgrade: string | undefined;
  readonly expectsContinue: boolean;
  readonly connectionTokens: readonly string[];
  readonly close: boolean;
  readonly keepAlive: boolean;
}

const none: readonly string[] = Object.freeze([]);
const nobody: RequestHost = Object.freeze({ name: '', nameless: true, port: undefined });

/** A refusal for fields that do not parse. */
export function refusalOf({ fault, tooMany }: FieldFault): Refusal {
  return { status: tooMany ? 431 : 400, reason: fault };
}

/**
 * Reads the fields that steer a request and refuses what is ambiguous among them: Host, framing, Expect, Connection and
 * Upgrade (RFC 9110 sections 7.2, 7.6.1, 7.8, 10.1.1; RFC 9112 section 6).
 */
export function readRequestFields(fields: WireFields): RequestFields | Refusal {
  let hostHeader: string | undefined;
  let length: string | undefined;
  let coding: string | undefined;
  let upgrades: readonly string[] = none;
  let connectionTokens: readonly string[] = none;
  let expect: string | undefined;
  const { marks } = fields;
  for (let at = 4, index = 0; at < marks.length; at += fieldStride, index += 1) {
    switch (marks[at]) {
      case fieldKind.host:
        if (hostHeader !== undefined) return refuse(400, 'repeated Host');
        hostHeader = fields.value(index);
        break;
      case fieldKind.contentLength:
        if (length !== undefined || coding !== undefined) return refuse(400, 'repeated body framing');
        length = fields.value(index);
        break;
      case fieldKind.transferEncoding:
        if (length !== undefined || coding !== undefined) return refuse(400, 'repeated body framing');
        coding = fields.value(index);
        break;
      case fieldKind.connection:
        connectionTokens = [...connectionTokens, ...tokensOf(fields.value(index))];
        break;
      case fieldKind.upgrade:
        upgrades = [...upgrades, ...tokensOf(fields.value(index))];
        break;
      case fieldKind.expect:
        if (expect !== undefined || fields.value(index).toLowerCase() !== '100-continue')
          return refuse(417, 'Expect');
        expect = fields.value(index);
        break;
      default:
    }
  }
  const host = hostHeader === undefined ? nobody : hostOf(hostHeader);
  if (host === undefined) return refuse(400, 'malformed Host');
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return refuse(501, 'transfer coding');
  const contentLength = length === undefined ? 0 : lengthOf(length);
  if (contentLength < 0) return refuse(400, 'malformed Content-Length');
  const body = coding !== undefined ? 'chunked' : contentLength > 0 ? 'length' : 'none';
  // HTTP/2 in plain text is offered by every client of some kinds (curl --http2, Java's). It is not taken up and not passed on,
  // and the request is answered as it came (RFC 9110 section 7.8).
  const offersHttp = upgrades.some(isVersionOfHttp);
  if (offersHttp && !upgrades.every(isVersionOfHttp)) return refuse(400, 'ambiguous Upgrade');
  const upgrade = connectionTokens.includes('upgrade') && !offersHttp ? upgrades[0] : undefined;
  if (upgrade !== undefined && (body !== 'none' || upgrades.length > 1))
    return refuse(400, 'ambiguous Upgrade');
  return {
    fields,
    hostHeader,
    host,
    body,
    contentLength,
    upgrade,
    expectsContinue: expect !== undefined && body !== 'none',
    connectionTokens,
    close: connectionTokens.includes('close'),
    keepAlive: connectionTokens.includes('keep-alive'),
  };
}

function isVersionOfHttp(token: string): boolean {
  return token.startsWith('h2c') || token.startsWith('http/');
}

let lastHeader = '';
let lastHost: RequestHost | undefined = nobody;

/** Reads a Host. The last one is remembered: a client sends the same with each request. */
function hostOf(header: string): RequestHost | undefined {
  if (header === lastHeader) return lastHost;
  lastHost = parseHost(header);
  lastHeader = header;
  return lastHost;
}

/** The value of a Content-Length (RFC 9110 section 8.6): digits and nothing else, or -1. */
export function lengthOf(value: string): number {
  if (value.length === 0 || value.length > 15) return -1;
  let length = 0;
  for (let at = 0; at < value.length; at += 1) {
    const digit = value.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}

/** The tokens of a list, in lower case. */
export function tokensOf(value: string): string[] {
  return value
    .toLowerCase()
    .split(',')
    .map(token => token.trim())
    .filter(token => token !== '');
}

function refuse(status: Refusal['status'], reason: string): Refusal {
  return { status, reason };
}
