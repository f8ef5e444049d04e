import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultLimits } from '../limits.ts';
import type { ConnectionFacts } from '../policy/request-head.ts';
import { HeadFinder } from './head-finder.ts';
import { type ReadRequest, RequestReader } from './read-request.ts';

const facts: ConnectionFacts = {
  secure: false,
  clientAddress: '192.0.2.1',
  trusted: false,
  publicPort: 80,
  tls: undefined,
};

type Outcome = ReadRequest | { readonly status: number; readonly reason: string } | 'incomplete';

/** Reads bytes as a connection does: `step` bytes come at a time. */
function read(text: string, step = Number.POSITIVE_INFINITY): Outcome {
  const bytes = Buffer.from(text, 'latin1');
  const finder = new HeadFinder();
  for (let length = Math.min(step, bytes.length); ; length = Math.min(length + step, bytes.length)) {
    const found = finder.find(bytes.subarray(0, length), defaultLimits);
    if (typeof found !== 'number') return found;
    if (found > 0) return new RequestReader(facts, defaultLimits).read(text.slice(0, found));
    if (length === bytes.length) return 'incomplete';
  }
}

const host = 'Host: foo.com\r\n';

describe('refused', () => {
  it.each<[what: string, bytes: string, status: number, reason: string]>([
    [
      'Content-Length with Transfer-Encoding',
      `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`,
      400,
      'repeated body framing',
    ],
    [
      'Transfer-Encoding with Content-Length',
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n`,
      400,
      'repeated body framing',
    ],
    [
      'two different lengths',
      `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\nContent-Length: 4\r\n\r\n`,
      400,
      'repeated body framing',
    ],
    [
      'two equal lengths',
      `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\nContent-Length: 3\r\n\r\n`,
      400,
      'repeated body framing',
    ],
    [
      'a list of lengths',
      `POST / HTTP/1.1\r\n${host}Content-Length: 3, 3\r\n\r\n`,
      400,
      'malformed Content-Length',
    ],
    [
      'a length with a sign',
      `POST / HTTP/1.1\r\n${host}Content-Length: +3\r\n\r\n`,
      400,
      'malformed Content-Length',
    ],
    [
      'a negative length',
      `POST / HTTP/1.1\r\n${host}Content-Length: -3\r\n\r\n`,
      400,
      'malformed Content-Length',
    ],
    [
      'a hexadecimal length',
      `POST / HTTP/1.1\r\n${host}Content-Length: 0x3\r\n\r\n`,
      400,
      'malformed Content-Length',
    ],
    ['an empty length', `POST / HTTP/1.1\r\n${host}Content-Length:\r\n\r\n`, 400, 'malformed Content-Length'],
    [
      'a length beyond all numbers',
      `POST / HTTP/1.1\r\n${host}Content-Length: 9999999999999999\r\n\r\n`,
      400,
      'malformed Content-Length',
    ],
    [
      'an underscore in a length',
      `POST / HTTP/1.1\r\n${host}Content-Length: 1_0\r\n\r\n`,
      400,
      'malformed Content-Length',
    ],
    [
      'two Transfer-Encodings',
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
      400,
      'repeated body framing',
    ],
    [
      'gzip, chunked',
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: gzip, chunked\r\n\r\n`,
      501,
      'transfer coding',
    ],
    [
      'chunked, identity',
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked, identity\r\n\r\n`,
      501,
      'transfer coding',
    ],
    ['identity', `POST / HTTP/1.1\r\n${host}Transfer-Encoding: identity\r\n\r\n`, 501, 'transfer coding'],
    ['xchunked', `POST / HTTP/1.1\r\n${host}Transfer-Encoding: xchunked\r\n\r\n`, 501, 'transfer coding'],
    ['an empty coding', `POST / HTTP/1.1\r\n${host}Transfer-Encoding:\r\n\r\n`, 501, 'transfer coding'],
    [
      'chunked with a vertical tab',
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: \vchunked\r\n\r\n`,
      400,
      'control character in a head',
    ],
    [
      'Transfer-Encoding in HTTP/1.0',
      `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n`,
      400,
      'Transfer-Encoding in HTTP/1.0',
    ],
    ['obsolete line folding', `GET / HTTP/1.1\r\n${host}X: a\r\n b\r\n\r\n`, 400, 'obsolete line folding'],
    ['folding by a tab', `GET / HTTP/1.1\r\n${host}X: a\r\n\tb\r\n\r\n`, 400, 'obsolete line folding'],
    ['folding of the first field', `GET / HTTP/1.1\r\n X: a\r\n${host}\r\n`, 400, 'obsolete line folding'],
    ['a space before the colon', `GET / HTTP/1.1\r\n${host}X : a\r\n\r\n`, 400, 'space before the colon'],
    [
      'a tab before the colon',
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding\t: chunked\r\n\r\n`,
      400,
      'space before the colon',
    ],
    ['a field without a colon', `GET / HTTP/1.1\r\n${host}X\r\n\r\n`, 400, 'malformed field name'],
    ['a field without a name', `GET / HTTP/1.1\r\n${host}: a\r\n\r\n`, 400, 'field without a name'],
    ['a name with a bracket', `GET / HTTP/1.1\r\n${host}X(a): b\r\n\r\n`, 400, 'malformed field name'],
    ['a name beyond ASCII', `GET / HTTP/1.1\r\n${host}X\xe9: b\r\n\r\n`, 400, 'malformed field name'],
    ['bare line feeds', 'GET / HTTP/1.1\nHost: foo.com\n\n', 400, 'bare line feed'],
    [
      'a bare line feed after a field',
      `GET / HTTP/1.1\r\nHost: foo.com\nX: a\r\n\r\n`,
      400,
      'bare line feed',
    ],
    ['a bare line feed at the end', `GET / HTTP/1.1\r\n${host}\n`, 400, 'bare line feed'],
    [
      'a bare carriage return in a value',
      `GET / HTTP/1.1\r\n${host}X: a\rb\r\n\r\n`,
      400,
      'bare carriage return',
    ],
    [
      'a bare carriage return in the target',
      `GET /a\rb HTTP/1.1\r\n${host}\r\n`,
      400,
      'bare carriage return',
    ],
    ['two carriage returns', `GET / HTTP/1.1\r\r\n${host}\r\n`, 400, 'bare carriage return'],
    ['a NUL in a value', `GET / HTTP/1.1\r\n${host}X: a\0b\r\n\r\n`, 400, 'control character in a head'],
    ['a NUL in a name', `GET / HTTP/1.1\r\n${host}X\0: b\r\n\r\n`, 400, 'control character in a head'],
    ['a NUL in the target', `GET /\0 HTTP/1.1\r\n${host}\r\n`, 400, 'control character in a head'],
    ['DEL in a value', `GET / HTTP/1.1\r\n${host}X: \x7f\r\n\r\n`, 400, 'control character in a head'],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400, 'missing Host'],
    ['two Hosts', `GET / HTTP/1.1\r\n${host}Host: bar.com\r\n\r\n`, 400, 'repeated Host'],
    ['two equal Hosts', `GET / HTTP/1.1\r\n${host}${host}\r\n`, 400, 'repeated Host'],
    ['a b@c as Host', 'GET / HTTP/1.1\r\nHost: a b@c\r\n\r\n', 400, 'malformed Host'],
    ['user@foo.com as Host', 'GET / HTTP/1.1\r\nHost: user@foo.com\r\n\r\n', 400, 'malformed Host'],
    ['a Host with a path', 'GET / HTTP/1.1\r\nHost: foo.com/x\r\n\r\n', 400, 'malformed Host'],
    ['a Host with a comma', 'GET / HTTP/1.1\r\nHost: foo.com,bar.com\r\n\r\n', 400, 'malformed Host'],
    [
      'a Host with a port beyond ports',
      'GET / HTTP/1.1\r\nHost: foo.com:70000\r\n\r\n',
      400,
      'malformed Host',
    ],
    [
      'an absolute target with another Host',
      `GET http://bar.com/ HTTP/1.1\r\n${host}\r\n`,
      400,
      'target names another Host',
    ],
    [
      'an absolute target with another port',
      `GET http://foo.com:81/ HTTP/1.1\r\n${host}\r\n`,
      400,
      'target names another Host',
    ],
    ['an absolute target without a Host field', 'GET http://foo.com/ HTTP/1.1\r\n\r\n', 400, 'missing Host'],
    ['an absolute target without a name', `GET http:///x HTTP/1.1\r\n${host}\r\n`, 400, 'malformed target'],
    [
      'an absolute target with user information',
      `GET http://a@foo.com/ HTTP/1.1\r\n${host}\r\n`,
      400,
      'malformed target',
    ],
    ['a target of another scheme', `GET ftp://foo.com/ HTTP/1.1\r\n${host}\r\n`, 400, 'malformed target'],
    ['an asterisk', `OPTIONS * HTTP/1.1\r\n${host}\r\n`, 400, 'malformed target'],
    ['an authority', `GET foo.com:443 HTTP/1.1\r\n${host}\r\n`, 400, 'malformed target'],
    ['HTTP/2.0', `GET / HTTP/2.0\r\n${host}\r\n`, 505, 'HTTP version'],
    ['HTTP/1.2', `GET / HTTP/1.2\r\n${host}\r\n`, 505, 'HTTP version'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505, 'HTTP version'],
    ['http/1.1 in lower case', `GET / http/1.1\r\n${host}\r\n`, 400, 'malformed request line'],
    ['HTTP/1.1 with a blank behind it', `GET / HTTP/1.1 \r\n${host}\r\n`, 400, 'malformed request line'],
    ['HTTP/0.9', 'GET /\r\n\r\n', 400, 'malformed target'],
    ['two blanks before the target', `GET  / HTTP/1.1\r\n${host}\r\n`, 400, 'malformed target'],
    ['two blanks behind the target', `GET /  HTTP/1.1\r\n${host}\r\n`, 400, 'malformed request line'],
    ['a tab between', `GET\t/ HTTP/1.1\r\n${host}\r\n`, 400, 'malformed method'],
    ['a blank in the target', `GET /a b HTTP/1.1\r\n${host}\r\n`, 400, 'malformed request line'],
    ['a method in lower case', `get / HTTP/1.1\r\n${host}\r\n`, 400, 'malformed method'],
    ['CONNECT', 'CONNECT foo.com:443 HTTP/1.1\r\nHost: foo.com\r\n\r\n', 405, 'method'],
    ['TRACE', `TRACE / HTTP/1.1\r\n${host}\r\n`, 405, 'method'],
    ['/\\@evil', `GET /\\@evil HTTP/1.1\r\n${host}\r\n`, 400, 'malformed path'],
    ['a fragment', `GET /a#b HTTP/1.1\r\n${host}\r\n`, 400, 'malformed target'],
    ['a fragment in the query', `GET /a?b#c HTTP/1.1\r\n${host}\r\n`, 400, 'malformed target'],
    ['a climb above the root', `GET /a/../../b HTTP/1.1\r\n${host}\r\n`, 400, 'malformed path'],
    ['the same, encoded', `GET /%2e%2e/b HTTP/1.1\r\n${host}\r\n`, 400, 'malformed path'],
    ['an encoded NUL', `GET /%00 HTTP/1.1\r\n${host}\r\n`, 400, 'malformed path'],
    [
      'Upgrade: websocket, h2c',
      `GET / HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n\r\n`,
      400,
      'ambiguous Upgrade',
    ],
    [
      'two protocols to change to',
      `GET / HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: a, b\r\n\r\n`,
      400,
      'ambiguous Upgrade',
    ],
    [
      'an Upgrade with a body',
      `GET / HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\n`,
      400,
      'ambiguous Upgrade',
    ],
    [
      'an Expect that is not known',
      `POST / HTTP/1.1\r\n${host}Expect: 200-ok\r\nContent-Length: 3\r\n\r\n`,
      417,
      'Expect',
    ],
    ['too many fields', `GET / HTTP/1.1\r\n${host}${'X: a\r\n'.repeat(100)}\r\n`, 431, 'too many headers'],
    ['a head too large', `GET / HTTP/1.1\r\n${host}X: ${'a'.repeat(40_000)}\r\n\r\n`, 431, 'head too large'],
    ['a target too long', `GET /${'a'.repeat(9_000)} HTTP/1.1\r\n${host}\r\n`, 414, 'target too long'],
    ['a method too long', `${'A'.repeat(40)} / HTTP/1.1\r\n${host}\r\n`, 400, 'malformed method'],
    ['TLS in plain HTTP', '\x16\x03\x01\x02\x00\x01\x00', 400, 'control character in a head'],
  ])('%s', (_what, bytes, status, reason) => {
    expect(read(bytes)).toEqual({ status, reason });
    // Whatever the pieces it comes in, and however little of it has come.
    expect(read(bytes, 1)).toEqual({ status, reason });
    expect(read(bytes, 7)).toEqual({ status, reason });
  });
});

describe('taken', () => {
  it.each<[what: string, bytes: string, head: object]>([
    [
      'a path and a query',
      `GET /a/b?c=d HTTP/1.1\r\n${host}\r\n`,
      { path: '/a/b', query: '?c=d', body: 'none' },
    ],
    ['an odd query', `GET /?a=\\d|{}^\`"\xe9 HTTP/1.1\r\n${host}\r\n`, { query: '?a=\\d|{}^`"\xe9' }],
    ['a path in another form', `GET /a/./%62/../c HTTP/1.1\r\n${host}\r\n`, { path: '/a/c' }],
    [
      'an absolute target',
      `GET http://FOO.com/x HTTP/1.1\r\n${host}\r\n`,
      { path: '/x', hostHeader: 'foo.com' },
    ],
    ['one with a query alone', `GET http://foo.com?x HTTP/1.1\r\n${host}\r\n`, { path: '/', query: '?x' }],
    [
      'one of HTTP/1.0 without a Host field',
      'GET http://foo.com/ HTTP/1.0\r\n\r\n',
      { hostHeader: 'foo.com', protocol: '1.0' },
    ],
    ['HTTP/1.0 without a Host', 'GET / HTTP/1.0\r\n\r\n', { hostHeader: '', protocol: '1.0' }],
    ['an empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', { hostHeader: '' }],
    [
      'a length',
      `POST / HTTP/1.1\r\n${host}Content-Length: 0010\r\n\r\n`,
      { body: 'length', contentLength: 10 },
    ],
    ['a length of nothing', `POST / HTTP/1.1\r\n${host}content-length: 0\r\n\r\n`, { body: 'none' }],
    ['Chunked', `POST / HTTP/1.1\r\n${host}TRANSFER-ENCODING: \tChunked \t\r\n\r\n`, { body: 'chunked' }],
    [
      'what Connection lists',
      `GET / HTTP/1.1\r\n${host}Connection: X-A , close\r\nConnection: x-b\r\n\r\n`,
      { connectionTokens: ['x-a', 'close', 'x-b'] },
    ],
    [
      'an offer of WebSocket',
      `GET / HTTP/1.1\r\n${host}Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n`,
      { upgrade: 'websocket' },
    ],
    [
      'an Upgrade that Connection does not name',
      `GET / HTTP/1.1\r\n${host}Upgrade: websocket\r\n\r\n`,
      { upgrade: undefined },
    ],
    [
      'an Upgrade in HTTP/1.0',
      `GET / HTTP/1.0\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      { upgrade: undefined },
    ],
    [
      '100-continue',
      `POST / HTTP/1.1\r\n${host}Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n`,
      { expectsContinue: true },
    ],
    [
      '100-continue without a body',
      `GET / HTTP/1.1\r\n${host}Expect: 100-continue\r\n\r\n`,
      { expectsContinue: false },
    ],
    ['a method that nobody knows', `M-SEARCH / HTTP/1.1\r\n${host}\r\n`, { method: 'M-SEARCH' }],
  ])('%s', (_what, bytes, head) => {
    for (const step of [Number.POSITIVE_INFINITY, 1, 5]) {
      const result = read(bytes, step);
      expect(result).toMatchObject({ head: { ...head } });
    }
  });

  it('names like those of objects are fields like others', () => {
    const result = read(
      `GET / HTTP/1.1\r\n${host}__proto__: 1\r\nconstructor: 2\r\nX:\r\nx: \xe9 \t\r\n\r\n`,
    );
    if (typeof result === 'string' || 'status' in result) throw new Error('refused');
    const { fields } = result.head;
    expect(fields.first('__proto__')).toBe('1');
    expect(fields.first('constructor')).toBe('2');
    expect([fields.rawName(4), fields.name(4), fields.value(3), fields.value(4)]).toEqual([
      'x',
      'x',
      '',
      '\xe9',
    ]);
  });

  it.each([
    ['HTTP/1.1', `GET / HTTP/1.1\r\n${host}\r\n`, true],
    ['with close', `GET / HTTP/1.1\r\n${host}Connection: Close\r\n\r\n`, false],
    ['HTTP/1.0', `GET / HTTP/1.0\r\n${host}\r\n`, false],
    ['with keep-alive', `GET / HTTP/1.0\r\n${host}Connection: Keep-Alive\r\n\r\n`, true],
    ['with both', `GET / HTTP/1.0\r\n${host}Connection: keep-alive, close\r\n\r\n`, false],
  ])('the connection lives on: %s', (_what, bytes, persistent) => {
    expect(read(bytes)).toMatchObject({ persistent });
  });

  it('fields that repeat are taken from the request before, and only then', () => {
    const reader = new RequestReader(facts, defaultLimits);
    const fieldsOf = (result: ReturnType<typeof reader.read> | undefined): unknown => {
      if (result === undefined || 'status' in result) return result;
      return result.head.fields;
    };
    const first = fieldsOf(reader.read(`GET /a HTTP/1.1\r\n${host}X: 1\r\n\r\n`));
    expect(fieldsOf(reader.readRepeated(`GET /b?c HTTP/1.1\r\n${host}X: 1\r\n\r\n`))).toBe(first);
    expect(reader.readRepeated(`GET /b HTTP/1.1\r\n${host}X: 2\r\n\r\n`)).toBeUndefined();
    // Two requests, the second one with the same fields: the first is not made part of it.
    const two = `GET /b HTTP/1.1\r\n${host}\r\nGET /c HTTP/1.1\r\n${host}X: 1\r\n\r\n`;
    expect(reader.readRepeated(two)).toBeUndefined();
    expect(reader.readRepeated(`GET /../b HTTP/1.1\r\n${host}X: 1\r\n\r\n`)).toMatchObject({ status: 400 });
    const chunked = `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n`;
    expect(reader.read(chunked)).toMatchObject({ head: { body: 'chunked' } });
    expect(reader.readRepeated(chunked.replace('1.1', '1.0'))).toMatchObject({ status: 400 });
  });

  it('no bytes make the parser throw, or see the same differently in pieces', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'GET ',
        'POST',
        '/',
        'http://foo.com',
        ' HTTP/1.1',
        '\r\n',
        '\n',
        '\r',
        ' ',
        '\t',
        ':',
        host,
      ),
      fc.constantFrom(
        'Content-Length: 1\r\n',
        'Transfer-Encoding: chunked\r\n',
        'Connection: close\r\n',
        '\r\n\r\n',
      ),
      fc.string({ unit: 'binary-ascii', maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.integer({ min: 1, max: 9 }), (pieces, step) => {
        const text = `GET / HTTP/1.1\r\n${pieces.join('')}\r\n\r\n`;
        const whole = read(text);
        const parts = read(text, step);
        expect(JSON.stringify(parts)).toBe(JSON.stringify(whole));
      }),
      { numRuns: 500 },
    );
  });
});
